/**
 * One query of Nexmark as a job: events that are generated or read from a file, the query, and its results thrown away
 * or written as CSV. Callers: `run-query.mjs`; each slot imports it. Parameters: `query`; `events`, the settings of the
 * generator, or `input`, a file; `output`, a directory, or null; `sync`,
 * whether files are made durable.
 */
import { csv, discard, job } from 'millrace';
import { eventFile } from './events/event-file.mjs';
import { eventSource } from './events/event-source.mjs';
import { BUCKETS, QUERIES } from './query-list.mjs';
import { viewsOf, viewsOfNested } from './views.mjs';

export const nexmarkJob = job('nexmark', (flow, { query, events, input, output, sync = true }) => {
  const from = (source) => flow.from(source, { name: 'events' });
  const views =
    input === null ? viewsOf(from(eventSource(events))) : viewsOfNested(from(eventFile(input)));
  const result = QUERIES[query](views);
  const bucketBy = BUCKETS[query];
  if (output === null) result.to(discard());
  else if (bucketBy !== undefined) result.to(csv(output, { bucketBy, ifExists: 'replace', sync }));
  // One file, so that it can be compared as it is.
  else result.to(csv(output, { ifExists: 'replace', sync }), { parallelism: 1 });
});
