/** Counts words in text files, the most frequent first. */
import { fileURLToPath } from 'node:url';
import { col, count, job, print, text } from 'millrace';

const here = fileURLToPath(new URL('.', import.meta.url));

export default job('word-count', (flow, { path = `${here}data/*.txt`, limit = 10 }) => {
  flow
    .from(text(path))
    .explode({
      word: col('value')
        .lower()
        .regexpReplace(/[^\p{L}]+/u, ' ')
        .words(),
    })
    .keyBy('word')
    .aggregate({ times: count() })
    .to(print({ title: 'Most frequent words', orderBy: 'times', limit }));
});
