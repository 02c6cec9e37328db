/** Answers that come while a partial aggregation behind the asynchronous function hands on what it holds. */
import { expect, it } from 'vitest';
import type { ResultFuture } from '../../../src/operator/async/async-function.js';
import { STEP_OUT_OF_OUTPUT, type StepResult } from '../../../src/operator/contract.js';
import { splitAggregate } from '../../../src/operator/pre-aggregate.js';
import { batchOf, chainOf, line, op, untilDone } from './chain-harness.js';

it('are not lost with it, wherever it is interrupted', () => {
  let interruptions = 0;
  for (let interruptedAt = 0; interruptedAt < 4; interruptedAt++) {
    const waiting: { readonly record: unknown; readonly result: ResultFuture }[] = [];
    const { partial } = splitAggregate(op.aggregate(['k'], { n: { fn: 'count' } }));
    let room = 0;
    const { task, ports } = chainOf({
      operators: line(
        op.asyncWait(() => ({
          asyncInvoke: (record, _, result) => void waiting.push({ record, result }),
        })),
        partial,
      ),
      capacity: 1,
      mayTake: () => room-- > 0,
    });
    const answer = (): void => {
      const next = waiting.shift();
      next?.result.complete([next.record]);
    };
    task.step(0, batchOf([{ k: 1 }, { k: 2 }, { k: 3 }, { k: 4 }]), { position: 0 }, 100);
    for (let answers = 0; answers < 3; answers++) answer();
    const cursor = { position: 0 };
    room = interruptedAt;
    const flush = (): StepResult => task.prepareBarrier(cursor, 100);
    if (flush() === STEP_OUT_OF_OUTPUT) interruptions++;
    answer();
    room = 100;
    untilDone(flush);
    untilDone(() => task.prepareBarrier({ position: 0 }, 100));
    task.flush();
    const counts = ports[0].left.map(({ record }) => record as { readonly k: number });
    expect(counts.map(({ k }) => k).toSorted()).toEqual([1, 2, 3, 4]);
  }
  expect(interruptions).toBeGreaterThan(1);
});
