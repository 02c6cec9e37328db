/**
 * Has every running job of a server take a checkpoint, so that the next server, which goes on from the newest ones, has
 * little to do again: `node checkpoint-jobs.mjs <address> [<token file>]`. Callers: what stops a server, before it does.
 * A job that takes none is named, and keeps the server from stopping no longer than the others.
 */
import { existsSync, readFileSync } from 'node:fs';

const [address = 'http://127.0.0.1:8081', tokenFile] = process.argv.slice(2);
const image = '/srv/millrace/node_modules/millrace/dist/client.js';
const { createClient } = await import(existsSync(image) ? image : 'millrace/client');
const token = tokenFile === undefined ? {} : { token: readFileSync(tokenFile, 'utf8').trim() };
const client = createClient({ url: address, ...token });

const { jobs } = await client.jobs();
const running = jobs.filter(({ status }) => status === 'RUNNING');
const outcomes = await Promise.allSettled(
  running.map(async ({ id: jobid }) => {
    const { 'request-id': triggerid } = await client.takeCheckpoint({ jobid }, {});
    return client.checkpointDone({ jobid, triggerid });
  }),
);
for (const [index, outcome] of outcomes.entries()) {
  const { id } = running[index];
  const became =
    outcome.status === 'fulfilled' ? `checkpoint ${outcome.value}` : outcome.reason.message;
  process.stdout.write(`${id} ${became}\n`);
}
