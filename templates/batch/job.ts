import { avg, col, count, csv, job, max, ndjson } from 'millrace';

interface Visit {
  page: string;
  status: number;
  ms: number;
}

/** How often pages were visited and how long they took, leaving out what failed. */
export default job('pages', (flow, { from = 'data/visits.ndjson', out = 'out/pages' }) => {
  flow
    .from(ndjson<Visit>(from), { name: 'visits' })
    .filter(col('status').lt(500))
    .keyBy('page')
    .aggregate({ visits: count(), meanMs: avg('ms'), worstMs: max('ms') })
    .to(csv(out, { ifExists: 'replace' }), { name: 'pages' });
});
