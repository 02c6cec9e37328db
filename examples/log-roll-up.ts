/** Rolls an NDJSON access log up per hour and status; bad lines are skipped and counted. */
import { fileURLToPath } from 'node:url';
import { avg, col, count, csv, job, max, ndjson, sum } from 'millrace';

const here = fileURLToPath(new URL('.', import.meta.url));

interface LogLine {
  time: number;
  status: number;
  bytes: number;
  ms: number;
}

export default job(
  'log-roll-up',
  (flow, { path = `${here}data/access.ndjson`, out = 'out/log-roll-up' }) => {
    flow
      .from(ndjson<LogLine>(path, { onError: 'skip' }))
      .select({
        hour: col('time').cast('timestamp').truncate('1h').formatDate('YYYY-MM-DD HH:mm'),
        status: 'status',
        bytes: 'bytes',
        ms: 'ms',
      })
      .keyBy('hour', 'status')
      .aggregate({ requests: count(), bytes: sum('bytes'), meanMs: avg('ms'), worstMs: max('ms') })
      .to(csv(out, { ifExists: 'replace' }));
  },
);
