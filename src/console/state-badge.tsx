/**
 * States of jobs and subtasks, shares of time: each with its colour and in words. Callers: the screens. Runs on: the
 * page's thread.
 */
import type { ExecutionState, JobStatus } from '../rest/job-schemas.js';
import { percentText } from './format.js';

const TONES: Readonly<Partial<Record<JobStatus | ExecutionState, string>>> = {
  RUNNING: 'ok',
  FINISHED: 'done',
  FAILED: 'bad',
  FAILING: 'bad',
  RESTARTING: 'warn',
  CANCELED: 'quiet',
  CANCELLING: 'warn',
  CANCELING: 'warn',
};

export function StateBadge({ state }: { readonly state: JobStatus | ExecutionState }) {
  return <span class={`badge ${TONES[state] ?? 'wait'}`}>{state.toLowerCase()}</span>;
}

/** How the time of subtasks is spent, 0 to 1 each. */
export interface Shares {
  readonly busy: number;
  readonly blocked: number;
  readonly idle: number;
}

/** Such as `busy 40 %, blocked 10 %, idle 50 %`. */
export function sharesText({ busy, blocked, idle }: Shares): string {
  return `busy ${percentText(busy)}, blocked ${percentText(blocked)}, idle ${percentText(idle)}`;
}

export function SharesBar({ shares }: { readonly shares: Shares }) {
  const width = (share: number) => ({ width: `${Math.min(100, share * 100)}%` });
  return (
    <span class="shares" role="img" aria-label={sharesText(shares)} title={sharesText(shares)}>
      <span class="busy" style={width(shares.busy)} />
      <span class="blocked" style={width(shares.blocked)} />
      <span class="idle" style={width(shares.idle)} />
    </span>
  );
}
