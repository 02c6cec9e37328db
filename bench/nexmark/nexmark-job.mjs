/**
 * One query of Nexmark as a job: events that are generated or read from a file, the query, and its results thrown away
 * or written as CSV. Callers: `run-query.mjs`; each slot imports it. Parameters: `query`; `events`, the settings of the
 * generator, or `input`, a file; `output`, a directory, or null.
 */
import { csv, discard, job } from 'millrace';
import { eventFile } from './events/event-file.mjs';
import { eventSource } from './events/event-source.mjs';
import { QUERIES } from './query-list.mjs';
import { viewsOf } from './views.mjs';

export const nexmarkJob = job('nexmark', (flow, { query, events, input, output }) => {
  const source = input === null ? eventSource(events) : eventFile(input);
  const result = QUERIES[query](viewsOf(flow.from(source, { name: 'events' })));
  if (output === null) result.to(discard());
  // One file, so that it can be compared as it is.
  else result.to(csv(output, { ifExists: 'replace' }), { parallelism: 1 });
});
