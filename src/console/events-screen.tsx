/**
 * What has happened to a job: its states on a line of time, what failed by cause. Callers: the page of a job. Runs on:
 * the page's thread.
 */
import type { Checkpoint, Checkpoints, JobDetails, JobExceptions } from '../rest/job-schemas.js';
import { ExceptionGroups } from './exception-groups.js';
import { countOf, timeText } from './format.js';
import { useAnswer, useClient } from './hooks.js';
import { Pending, type TabProps } from './tab.js';

export function EventsScreen({ job, version }: TabProps) {
  const client = useClient();
  const { value, error } = useAnswer(`events ${job.jid}`, version, () =>
    Promise.all([
      client.job({ jobid: job.jid }),
      client.jobExceptions({ jobid: job.jid }),
      client.checkpoints({ jobid: job.jid }),
    ]),
  );
  if (value === null) return <Pending error={error} />;
  const [details, exceptions, checkpoints] = value;
  const { entries, truncated } = exceptions.exceptionHistory;
  const happened = [
    ...stateEvents(details),
    ...entries.map(failureEvent),
    ...checkpoints.history.map(checkpointEvent),
    ...restoreEvents(checkpoints),
  ].toSorted((a, b) => b.atMs - a.atMs);
  return (
    <div class="columns">
      <section>
        <h2>
          Failures by cause <span class="count">{countOf(details.restarts, 'restart')}</span>
        </h2>
        {entries.length === 0 ? (
          <p class="hint">
            Nothing has failed. Failures, and restarts after them, are listed here.
          </p>
        ) : (
          <ExceptionGroups entries={entries} />
        )}
        {truncated && <p class="hint">Older failures are no longer kept.</p>}
      </section>
      <section>
        <h2>What has happened</h2>
        <ol class="timeline">
          {happened.map(({ atMs, tone, text }, index) => (
            <li key={index} class={tone}>
              <time>{timeText(atMs)}</time>
              <span>{text}</span>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

interface Happening {
  readonly atMs: number;
  readonly tone: string;
  readonly text: string;
}

const TONES: Readonly<Record<string, string>> = {
  RUNNING: 'ok',
  FINISHED: 'ok',
  FAILED: 'bad',
  RESTARTING: 'warn',
};

/** When it entered each state last. */
function stateEvents({ timestamps }: JobDetails): readonly Happening[] {
  return Object.entries(timestamps)
    .filter(([, atMs]) => atMs > 0)
    .map(([state, atMs]) => ({ atMs, tone: TONES[state] ?? 'quiet', text: `Is ${state}` }));
}

function failureEvent({
  timestamp,
  exceptionName,
  taskName,
}: JobExceptions['exceptionHistory']['entries'][number]): Happening {
  const place = taskName === null ? '' : ` in ${taskName}`;
  return { atMs: timestamp, tone: 'bad', text: `Failed with ${exceptionName}${place}` };
}

function checkpointEvent(checkpoint: Checkpoint): Happening {
  const { id, is_savepoint, status, trigger_timestamp: atMs } = checkpoint;
  const what = is_savepoint ? 'Savepoint' : 'Checkpoint';
  const became = status.toLowerCase().replace('_', ' ');
  return { atMs, tone: status === 'FAILED' ? 'bad' : 'quiet', text: `${what} ${id} ${became}` };
}

function restoreEvents({ latest }: Checkpoints): readonly Happening[] {
  if (latest.restored === null) return [];
  const { id, is_savepoint, restore_timestamp: atMs } = latest.restored;
  const from = `${is_savepoint ? 'savepoint' : 'checkpoint'} ${id}`;
  return [{ atMs, tone: 'warn', text: `Went on from ${from}` }];
}
