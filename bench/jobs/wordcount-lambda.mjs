/** How often each word occurs in a text, split by a function. */
import { collectSink, job, text } from 'millrace';
import { sortedAnswer } from '../lib/answer.mjs';

const out = collectSink();

export const benchJob = job('wordcount-lambda', (flow, { path }) => {
  flow
    .from(text(path))
    .flatMap((line) => line.split(' ').map((word) => ({ word })))
    .keyBy('word')
    .count()
    .to(out);
});

export function answer() {
  return sortedAnswer(out.rows.map(({ word, count }) => [word, count]));
}
