/**
 * A job in a process that is killed from outside: goes on from its newest checkpoint, if there is one, and says so.
 * Callers: `crash-campaign.mjs`. Arguments: the options of the run as JSON.
 */
import { start } from 'millrace';

const options = JSON.parse(process.argv[2] ?? '{}');
const { params, parallelism, runtime, settings, savepoints } = options;
const { default: job } = await import(`../fixtures/jobs/${options.job}.mjs`);
const execution = await start(job, {
  params,
  parallelism,
  runtime,
  settings: {
    'execution.stateRecovery.path': 'latest',
    'restartStrategy.type': 'fixedDelay',
    'restartStrategy.fixedDelay.attempts': 1000,
    'restartStrategy.fixedDelay.delay': '1ms',
    ...settings,
  },
});
if (execution.restored !== null) console.log(`restored ${execution.restored.checkpoint}`);
let taken = 0;
void (async () => {
  for await (const event of execution.events()) {
    if (event.type !== 'checkpoint' || event.report.status !== 'completed') continue;
    const { kind, id, inFlightBytes } = event.report;
    process.stdout.write(`${inFlightBytes > 0 ? `overtook ${id}\n` : ''}${kind}\n`);
    if (kind !== 'checkpoint' || ++taken % savepoints?.every !== 0) continue;
    // One that comes too late is refused.
    execution.savepoint({ directory: savepoints.directory }).catch(() => {});
  }
})();
await execution.finished;
console.log('finished');
