/**
 * A job with more state than memory in a process that is killed from outside: goes on from its newest checkpoint, if
 * there is one. Callers: `cold-state.test.ts`. Arguments: params and settings as JSON.
 */
import { start } from 'millrace';
import coldTotals from '../fixtures/jobs/cold-totals.mjs';

const { params, settings } = JSON.parse(process.argv[2] ?? '{}');
const execution = await start(coldTotals, { params, parallelism: 2, settings });
if (execution.restored !== null) console.log('restored');
void (async () => {
  for await (const event of execution.events()) {
    if (event.type === 'checkpoint' && event.report.status === 'completed') console.log('taken');
  }
})();
await execution.finished;
console.log('finished');
