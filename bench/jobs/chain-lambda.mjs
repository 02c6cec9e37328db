/** The five operators of `chain-expr`, written as functions. */
import { job } from 'millrace';
import { sumSink } from '../lib/answer-sinks.mjs';
import { columnSource } from '../lib/column-source.mjs';
import { numberRecords } from '../lib/records.mjs';

export const benchJob = job('chain-lambda', (flow, { rows, seed }) => {
  flow
    .from(columnSource({ numbers: ['a', 'b'] }, () => numberRecords(seed), rows))
    .map((r) => ({ a: r.a * 2 + 1, b: r.b }))
    .filter((r) => r.a > 200_001)
    .map((r) => ({ a: r.a - r.b * 3, b: r.b }))
    .filter((r) => r.b < 900)
    .map((r) => ({ value: r.a * 0.5 + r.b }))
    .to(sumSink('value'));
});
