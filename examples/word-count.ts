/** Counts words in text files, the most frequent first. */
import { fileURLToPath } from 'node:url';
import { count, job, print, text } from 'millrace';

const here = fileURLToPath(new URL('.', import.meta.url));

export default job('word-count', (flow, { path = `${here}data/*.txt`, limit = 10 }) => {
  flow
    .from(text(path))
    .flatMap((line) => line.toLowerCase().match(/\p{L}+/gu) ?? [])
    .map((word) => ({ word }))
    .keyBy('word')
    .aggregate({ times: count() })
    .to(print({ title: 'Most frequent words', orderBy: 'times', limit }));
});
