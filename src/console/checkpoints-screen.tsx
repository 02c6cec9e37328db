/**
 * The checkpoints and savepoints of a job: how they do, each on a line of time, all that are kept one by one. Callers:
 * the page of a job. Runs on: the page's thread.
 */
import type { Checkpoint, CheckpointConfig, Checkpoints, JobSummary } from '../rest/job-schemas.js';
import { CheckpointTimeline } from './checkpoint-timeline.js';
import { checkpointPairs, isNever, Pairs } from './config-screen.js';
import { agoText, formatBytes, formatDuration, NONE, timeText } from './format.js';
import { useAnswer, useClient } from './hooks.js';
import { hasEnded } from './job-action.js';
import { hrefOf } from './route.js';
import { Figure, Pending, type TabProps } from './tab.js';
import { TableHead } from './table-head.js';

export function CheckpointsScreen({ job, state, version }: TabProps) {
  const client = useClient();
  const { value, error } = useAnswer(`checkpoints ${job.jid}`, version, () =>
    Promise.all([
      client.checkpoints({ jobid: job.jid }),
      client.checkpointConfig({ jobid: job.jid }),
    ]),
  );
  if (value === null) return <Pending error={error} />;
  const [checkpoints, config] = value;
  return (
    <>
      <section>
        <h2>How they do</h2>
        <Totals checkpoints={checkpoints} nowMs={state.nowMs} />
      </section>
      {checkpoints.history.length === 0 ? (
        <NoCheckpoints config={config} />
      ) : (
        <section>
          <h2>The newest {checkpoints.history.length}</h2>
          <CheckpointTimeline history={checkpoints.history} nowMs={state.nowMs} />
          <CheckpointTable history={checkpoints.history} job={job} nowMs={state.nowMs} />
        </section>
      )}
      <section>
        <h2>How they are taken</h2>
        <Pairs pairs={checkpointPairs(config)} />
      </section>
    </>
  );
}

function NoCheckpoints({ config }: { readonly config: CheckpointConfig }) {
  return (
    <p class="hint">
      There is none yet.
      {isNever(config.interval) && (
        <>
          {' '}
          The job takes none by itself, so after a failure it begins anew. Submit it with{' '}
          <code>-D execution.checkpointing.interval=10s</code>, or take one by a button above.
        </>
      )}
    </p>
  );
}

function Totals({ checkpoints, nowMs }: { readonly checkpoints: Checkpoints; nowMs: number }) {
  const { counts, summary, latest } = checkpoints;
  const { completed, savepoint, restored } = latest;
  return (
    <dl class="figures">
      <Figure name="Completed" value={String(counts.completed)} />
      <Figure name="Failed" value={String(counts.failed)} />
      <Figure name="Under way" value={String(counts.in_progress)} />
      <Figure
        name="Half take at most"
        value={completed === null ? NONE : formatDuration(summary.end_to_end_duration.p50)}
        title="Median of the newest ones, from trigger to completion"
      />
      <Figure
        name="State, whole"
        value={completed === null ? NONE : formatBytes(completed.state_size)}
        title="Bytes that the newest completed one refers to"
      />
      <Figure
        name="Last savepoint"
        value={agoText(savepoint?.trigger_timestamp ?? null, nowMs)}
        title={savepoint?.external_path ?? ''}
      />
      <Figure
        name="Went on from"
        value={
          restored === null
            ? NONE
            : `${restored.is_savepoint ? 'savepoint' : 'checkpoint'} ${restored.id}`
        }
        title={restored?.external_path ?? ''}
      />
    </dl>
  );
}

function CheckpointTable({
  history,
  job,
  nowMs,
}: {
  readonly history: readonly Checkpoint[];
  readonly job: JobSummary;
  readonly nowMs: number;
}) {
  return (
    <table class="rows">
      <TableHead
        columns={[
          { number: 'Id' },
          'Kind',
          'State',
          { number: 'Triggered' },
          { number: 'Took' },
          { number: 'Written' },
          { number: 'Whole' },
          'Where, or why not',
        ]}
      />
      <tbody>
        {history.map((one) => (
          <CheckpointRow key={one.id} checkpoint={one} job={job} nowMs={nowMs} />
        ))}
      </tbody>
    </table>
  );
}

const TONES = { COMPLETED: 'ok', FAILED: 'bad', IN_PROGRESS: 'wait' } as const;

function CheckpointRow({
  checkpoint,
  job,
  nowMs,
}: {
  readonly checkpoint: Checkpoint;
  readonly job: JobSummary;
  readonly nowMs: number;
}) {
  const { id, status, is_savepoint, trigger_timestamp, end_to_end_duration } = checkpoint;
  const isOver = status !== 'IN_PROGRESS';
  const { persisted_data: overtaken } = checkpoint;
  const written = overtaken === 0 ? '' : `${formatBytes(overtaken)} of it records on their way`;
  return (
    <tr>
      <td class="number">{id}</td>
      <td>{is_savepoint ? 'savepoint' : 'checkpoint'}</td>
      <td>
        <span class={`badge ${TONES[status]}`}>{status.toLowerCase().replace('_', ' ')}</span>
      </td>
      <td class="number" title={timeText(trigger_timestamp)}>
        {agoText(trigger_timestamp, nowMs)}
      </td>
      <td class="number">{isOver ? formatDuration(end_to_end_duration) : NONE}</td>
      <td class="number" title={written}>
        {isOver ? formatBytes(checkpoint.checkpointed_size) : NONE}
      </td>
      <td class="number">{isOver ? formatBytes(checkpoint.state_size) : NONE}</td>
      <td class="path">
        {checkpoint.failure_message ?? <code>{checkpoint.external_path ?? ''}</code>}{' '}
        <WhatIsLeft checkpoint={checkpoint} job={job} />
      </td>
    </tr>
  );
}

/** A job that has ended may go on from what is still there. */
function WhatIsLeft({ checkpoint, job }: { readonly checkpoint: Checkpoint; job: JobSummary }) {
  const { status, external_path: from = null, discarded = false, id } = checkpoint;
  if (status !== 'COMPLETED' || from === null) return null;
  if (discarded) return <span class="quiet">deleted since</span>;
  if (!hasEnded(job.state)) return null;
  const restore = { jid: job.jid, from };
  return (
    <a class="button" href={hrefOf({ page: 'submit', restore })} aria-label={`Restore from ${id}`}>
      Restore…
    </a>
  );
}
