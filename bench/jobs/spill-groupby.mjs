/** Rows per session from a CSV file, with nearly as many sessions as rows. */
import { count, csv, job } from 'millrace';
import { sumSink } from '../lib/answer-sinks.mjs';

export const benchJob = job('spill-groupby', (flow, { path }) => {
  flow.from(csv(path)).keyBy('session').aggregate({ n: count() }).to(sumSink('n'));
});
