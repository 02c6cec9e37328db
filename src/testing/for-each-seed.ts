/**
 * Runs a test under several seeds and says which one it failed under. Callers: users' tests. Runs on: the test's
 * thread.
 */
import { MillraceError } from '../base/errors.js';
import { freshSeed } from '../base/random.js';

/** How many fresh seeds, or the one to replay. */
export type SeedChoice = number | { readonly seed: number };

const SEEDS = 2 ** 32;

/**
 * Runs a test under so many fresh seeds, one after the other. The first failure ends it with TEST_SEED_FAILED, whose
 * message tells the seed and whose cause is the failure; `{ seed }` in the place of the number replays it.
 *
 * @example
 * await forEachSeed(20, async (seed) => {
 *   const run = await runOnArrays(visitCounts, { sources: { visits }, seed });
 *   expect(run.records('counts')).toHaveLength(3);
 * });
 */
export async function forEachSeed(
  seeds: SeedChoice,
  test: (seed: number) => void | Promise<void>,
): Promise<void> {
  for (const seed of seedsOf(seeds)) {
    try {
      await test(seed);
    } catch (cause) {
      throw failed(seed, cause);
    }
  }
}

function seedsOf(choice: SeedChoice): readonly number[] {
  if (typeof choice === 'number') {
    if (!Number.isSafeInteger(choice) || choice < 1) throw invalid(String(choice));
    const first = freshSeed();
    return Array.from({ length: choice }, (_, index) => (first + index) % SEEDS);
  }
  const seed: unknown = choice?.seed;
  if (!Number.isSafeInteger(seed)) throw invalid(JSON.stringify(choice));
  return [Number(seed)];
}

function failed(seed: number, cause: unknown): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError('TEST_SEED_FAILED', `Failed under seed ${seed}: ${reason}`, {
    cause,
    advice: `Replay it with forEachSeed({ seed: ${seed} }, ...).`,
  });
}

function invalid(given: string): MillraceError {
  return new MillraceError('TEST_MISUSED', `forEachSeed(...) cannot run under ${given}.`, {
    advice: 'Give the number of seeds, such as 20, or the one to replay: { seed: 123 }.',
  });
}
