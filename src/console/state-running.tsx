/**
 * How an operator with state does in the running job: its rate, how evenly its subtasks share the keys, and what the
 * state of the job takes. Callers: the state's screen. Runs on: the page's thread.
 */
import type { JobFlow, JobSummary } from '../rest/job-schemas.js';
import { formatBytes, formatCount, NONE, percentText, rateText } from './format.js';
import { useAnswer, useClient } from './hooks.js';
import { hasEnded } from './job-action.js';
import type { LiveState } from './live.js';
import { SharesBar, sharesText } from './state-badge.js';
import { Figure } from './tab.js';

type FlowVertex = JobFlow['vertices'][number];

interface RunningProps {
  readonly job: JobSummary;
  readonly state: LiveState;
  /** The name of the operator. */
  readonly operator: string;
}

export function StateRunning({ job, state, operator }: RunningProps) {
  const vertex = state.flow?.vertices.find(({ operators }) =>
    operators.some(({ name }) => name === operator),
  );
  if (vertex === undefined || hasEnded(job.state)) return null;
  return <Running job={job} vertex={vertex} at={state.flow} operator={operator} />;
}

function Running({
  job,
  vertex,
  at,
  operator,
}: {
  readonly job: JobSummary;
  readonly vertex: FlowVertex;
  readonly at: JobFlow | null;
  readonly operator: string;
}) {
  const client = useClient();
  const { value } = useAnswer(`state ${job.jid} ${vertex.id}`, at, () =>
    Promise.all([
      client.vertex({ jobid: job.jid, vertexid: vertex.id }),
      client.jobMemory({ jobid: job.jid }),
    ]),
  );
  const [details, memory] = value ?? [null, null];
  const slots = memory?.slots ?? [];
  const sum = (pick: (slot: (typeof slots)[number]) => number): string =>
    slots.length === 0 ? NONE : formatBytes(slots.reduce((all, slot) => all + pick(slot), 0));
  return (
    <section aria-label="In the running job">
      <h2>
        {operator} <span class="count">in the running job</span>
      </h2>
      <dl class="figures">
        <Figure name="Records" value={rateText(vertex.recordsPerSecond)} />
        <Figure name="So far" value={formatCount(vertex.records)} />
        <Figure
          name="Busiest subtask has"
          value={skewText(details?.subtasks ?? [])}
          title="Its share of the records; keys that are hot make it large"
        />
        <Figure
          name="State of the job, in memory"
          value={sum(({ stateBytes }) => stateBytes)}
          title="Of all operators in all slots"
        />
        <Figure name="On disk" value={sum(({ spilledBytes }) => spilledBytes)} />
      </dl>
      <p class="line">
        <SharesBar shares={vertex} />
        <span class="quiet">{sharesText(vertex)}</span>
      </p>
    </section>
  );
}

interface SubtaskCounts {
  readonly metrics: { readonly 'read-records': number };
}

function skewText(subtasks: readonly SubtaskCounts[]): string {
  const counts = subtasks.map(({ metrics }) => metrics['read-records']);
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return NONE;
  return `${percentText(Math.max(...counts) / all)} of ${subtasks.length} subtasks`;
}
