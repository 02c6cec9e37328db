/**
 * Simulates a range of seeds and counts the rare states they reach. Callers: `campaign.mjs`, the simulation test.
 * Runs on: the test's thread.
 */
import { randomJob } from './random-job.js';
import { addStates, emptyStates, type StateCounts } from './rare-states.js';
import { simulate } from './simulate.js';

/** What a campaign is asked for. */
export interface CampaignOptions {
  readonly from: number;
  readonly count: number;
  /** Failing seeds after which it gives up. */
  readonly failuresMax: number;
  print(text: string): void;
}

/** What came of it. */
export interface CampaignResult {
  readonly failures: number;
  readonly states: StateCounts;
  /** Names of the states that no seed reached. */
  readonly missed: readonly string[];
}

/** Runs the seeds in order. */
export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  const states = emptyStates();
  let failures = 0;
  for (let seed = options.from; seed < options.from + options.count; seed++) {
    try {
      addStates(states, await simulate(randomJob(seed)));
    } catch (error) {
      failures++;
      options.print(error instanceof Error ? `${error.message}\n${causeOf(error)}` : String(error));
      if (failures >= options.failuresMax) break;
    }
  }
  const missed = Object.entries(states).flatMap(([name, reached]) => (reached === 0 ? [name] : []));
  options.print(`${options.count} seeds from ${options.from}: ${failures} failures`);
  options.print(
    Object.entries(states)
      .map(([name, n]) => `  ${name}: ${n}`)
      .join('\n'),
  );
  return { failures, states, missed };
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? (error.cause.stack ?? '') : (error.stack ?? '');
}
