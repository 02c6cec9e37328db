/**
 * What the tabs of a job have in common. Callers: the page of a job, its tabs. Runs on: the page's thread.
 */
import { describeError } from '../base/errors.js';
import type { JobSummary } from '../rest/job-schemas.js';
import type { LiveState } from './live.js';

/** What every tab is given. */
export interface TabProps {
  readonly job: JobSummary;
  readonly state: LiveState;
  /** Is another when something has happened to the job. */
  readonly version: number;
}

/** A number with its name. */
export function Figure(props: { readonly name: string; readonly value: string; title?: string }) {
  return (
    <div title={props.title}>
      <dt>{props.name}</dt>
      <dd>{props.value}</dd>
    </div>
  );
}

/** An answer that has not come: why, or that it is on its way. */
export function Pending({ error }: { readonly error: Error | null }) {
  if (error === null) return <p class="hint">Loading…</p>;
  return (
    <p class="hint bad" role="alert">
      {describeError(error)}
    </p>
  );
}
