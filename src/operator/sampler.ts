/**
 * Passes a sample of a stream on: the first records, then ever fewer, so that what has passed is at any time a fair
 * choice of all there were, and grows with the logarithm of their number only. Callers: the api asks for it,
 * `chain-process.ts` calls it. Runs on: the slot's thread. Invariant: of `n` records the last one passes with
 * probability `rows / n`, which is how algorithm R keeps a reservoir of `rows` (Vitter, Random Sampling with a
 * Reservoir, 1985).
 */
import { SeededRandom } from '../base/random.js';
import type { OpenProcess } from './process-function.js';

/** Makes the functions of an operator that passes `rows` records of each subtask, then ever fewer. */
export function sampler<T>(rows: number): OpenProcess<T, undefined, T> {
  return function openSampler({ operatorState, subtask }) {
    const kept = operatorState.list<number>('seen');
    // Parts of several subtasks where the parallelism has become less.
    let seen = [...kept.get()].reduce((sum, part) => sum + part, 0);
    const random = new SeededRandom(subtask * 0x10001 + seen);
    return {
      processElement(record, context) {
        seen++;
        if (seen > rows && random.next() * seen >= rows) return;
        // What came after the last record that passed is forgotten by a snapshot, a share of 1 in `rows`.
        kept.update([seen]);
        context.collect(record);
      },
    };
  };
}
