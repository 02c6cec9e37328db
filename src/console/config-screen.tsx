/**
 * What a job was submitted with, and how it takes checkpoints. Callers: the page of a job. Runs on: the page's thread.
 */
import type { CheckpointConfig } from '../rest/job-schemas.js';
import { formatDuration } from './format.js';
import { useAnswer, useClient } from './hooks.js';
import { Pending, type TabProps } from './tab.js';

export function ConfigScreen({ job }: TabProps) {
  const client = useClient();
  const { value, error } = useAnswer(`config ${job.jid}`, null, () =>
    Promise.all([
      client.jobConfig({ jobid: job.jid }),
      client.checkpointConfig({ jobid: job.jid }),
      client.jobManagerConfig(),
    ]),
  );
  if (value === null) return <Pending error={error} />;
  const [{ 'execution-config': config }, checkpointing, settings] = value;
  const params = Object.entries(config['user-config']);
  return (
    <div class="columns">
      <section>
        <h2>Parameters</h2>
        {params.length === 0 && <p class="hint">The job was submitted without parameters.</p>}
        <Pairs pairs={params} />
        <h2>Running</h2>
        <Pairs
          pairs={[
            ['Parallelism', String(config['job-parallelism'])],
            ['Restart strategy', config['restart-strategy']],
          ]}
        />
      </section>
      <section>
        <h2>Checkpoints</h2>
        <Pairs pairs={checkpointPairs(checkpointing)} />
        <h2>Settings of the server for all jobs</h2>
        <Pairs pairs={settings.map(({ key, value: text }) => [key, text])} />
      </section>
    </div>
  );
}

/** How a job takes checkpoints, in words. */
export function checkpointPairs(config: CheckpointConfig): readonly (readonly [string, string])[] {
  const { mode, interval, timeout, min_pause, max_concurrent, externalization } = config;
  return [
    ['Guarantee', mode === 'exactly_once' ? 'exactly once' : 'at least once'],
    ['Interval', isNever(interval) ? 'only when asked' : formatDuration(interval)],
    ['Timeout', formatDuration(timeout)],
    ['Pause between two, at least', formatDuration(min_pause)],
    ['At once, at most', String(max_concurrent)],
    ['After the job is canceled', externalization.delete_on_cancellation ? 'deleted' : 'kept'],
  ];
}

/** Flink's word for no interval is the largest number there is. */
export function isNever(intervalMs: number): boolean {
  return intervalMs >= Number.MAX_SAFE_INTEGER;
}

export function Pairs({ pairs }: { readonly pairs: readonly (readonly [string, string])[] }) {
  return (
    <dl class="pairs">
      {pairs.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
