/** A sink of one's own: alerts posted in batches; a slow receiver slows the job, nothing piles up. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { col, datagen, defineSink, integers, job, sequence } from 'millrace';

interface Alert {
  id: number;
  level: number;
}

const alertsTo = (path: string) =>
  defineSink<Alert>({
    name: 'alerts',
    parallelism: 1,
    open: () => {
      mkdirSync(dirname(path), { recursive: true });
      return {
        write: async (alerts) => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          appendFileSync(path, alerts.map((alert) => `${JSON.stringify(alert)}\n`).join(''));
        },
      };
    },
  });

export default job('custom-sink', (flow, { out = 'out/alerts.ndjson' }) => {
  flow
    .from(datagen({ rows: 20_000, seed: 3, fields: { id: sequence(), level: integers(0, 99) } }))
    .filter(col('level').gte(98))
    .to(alertsTo(out));
});
