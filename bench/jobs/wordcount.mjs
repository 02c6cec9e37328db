/** How often each word occurs in a text, split by an expression. */
import { col, collectSink, job, text } from 'millrace';
import { sortedAnswer } from '../lib/answer.mjs';

const out = collectSink();

export const benchJob = job('wordcount', (flow, { path }) => {
  flow
    .from(text(path))
    .explode({ word: col('value').split(' ') })
    .keyBy('word')
    .count()
    .to(out);
});

export function answer() {
  return sortedAnswer(out.rows.map(({ word, count }) => [word, count]));
}
