import type { RecordOf, Stream } from '../../src/index.js';
import { assertType, type Same } from './same.js';

declare const numbers: Stream<{ n: number }>;

const rounds = numbers.iterate((loop) => {
  const next = loop.map(({ n }) => ({ n: n - 1 }));
  return { feedback: next, output: next.map(({ n }) => ({ n, done: n === 0 })) };
});
assertType<Same<RecordOf<typeof rounds>, { n: number; done: boolean }>>();
// error: Property 'm' does not exist on type '{ n: number; }'
numbers.iterate((loop) => ({ feedback: loop, output: loop.map((record) => record.m) }));
// error: is not assignable to type 'Stream<{ n: number; }>'
numbers.iterate((loop) => ({ feedback: loop.map(({ n }) => ({ m: n })), output: loop }));
// error: 'maxIteration' does not exist
numbers.iterate((loop) => ({ feedback: loop, output: loop }), { maxIteration: 3 });
