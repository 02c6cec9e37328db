import type { OpenAsync, ResultFuture } from '../../src/operator/async/async-function.js';
import type { AsyncOrder } from '../../src/operator/async/async-queue.js';
import { lookups } from '../../src/operator/async/lookup.js';
import { line, op } from '../unit/operator/chain-harness.js';
import { describeOperator } from './operator-contract.js';

interface Row {
  readonly id: number;
  readonly at: number;
}

const records: readonly Row[] = Array.from({ length: 40 }, (_, id) => ({
  id,
  at: 100 * id - ((id * 37) % 250),
}));
const watermarks = [
  { afterRecords: 3, watermarkMs: -50 },
  { afterRecords: 9, watermarkMs: 500 },
  { afterRecords: 10, watermarkMs: 900 },
  { afterRecords: 31, watermarkMs: 2500 },
];
const copies = ({ id }: Row): readonly { readonly id: number; readonly copy: number }[] =>
  Array.from({ length: id % 4 }, (_, copy) => ({ id, copy }));

describeOperator({
  name: 'an asynchronous function that answers at once',
  parts: () => ({
    operators: line(
      op.asyncWait(
        () => ({ asyncInvoke: (record, _, result) => result.complete(copies(record as Row)) }),
        { capacity: 3 },
      ),
      op.map((row) => row),
    ),
  }),
  records,
  times: records.map(({ at }) => at),
  watermarks,
});

/** A function that calls, and windows behind it; both give rows. */
function beforeWindows(open: OpenAsync, epochMs: () => number, order: AsyncOrder) {
  return {
    operators: [
      { spec: op.asyncWait(open, { capacity: 4, order }), input: -1 },
      { spec: op.window(['copy'], { rows: { fn: 'count' } }, { sizeMs: 700 }), input: 0 },
    ],
    outputs: [{ after: 0 }, { after: 1 }],
    clock: { epochMs, monotonicMs: () => 0 },
  };
}

/** The clock is looked at with every step; at every other look a call is answered, the youngest or the oldest. */
function answering(): { readonly open: OpenAsync; readonly epochMs: () => number } {
  let waiting: { readonly row: Row; readonly result: ResultFuture }[] = [];
  let looks = 0;
  return {
    open: () => ({
      asyncInvoke: (record, _, result) => void waiting.push({ row: record as Row, result }),
    }),
    epochMs: () => {
      waiting = waiting.filter(({ result }) => !result.isOver);
      looks++;
      const next = looks % 2 === 1 ? undefined : looks % 4 === 0 ? waiting.pop() : waiting.shift();
      next?.result.complete(copies(next.row));
      return 0;
    },
  };
}

/** A promise that is fulfilled when the test says so, and at once. */
class Later<T> implements PromiseLike<T> {
  readonly #waiting: (() => void)[];
  readonly #value: T;

  constructor(waiting: (() => void)[], value: T) {
    this.#waiting = waiting;
    this.#value = value;
  }

  // biome-ignore lint/suspicious/noThenProperty: it stands for a promise.
  then(fulfilled?: ((value: T) => never) | null): never {
    this.#waiting.push(() => fulfilled?.(this.#value));
    return undefined as never;
  }
}

for (const order of ['ordered', 'unordered'] as const satisfies readonly AsyncOrder[]) {
  describeOperator({
    name: `an asynchronous function that answers later, ${order}, and windows behind it`,
    parts: () => {
      const { open, epochMs } = answering();
      return beforeWindows(open, epochMs, order);
    },
    records,
    times: records.map(({ at }) => at),
    watermarks,
    isUnordered: true,
  });
}

for (const cache of [null, { rowsMax: 4, expireAfterWriteMs: null }] as const) {
  describeOperator({
    name: `a look-up join ${cache === null ? 'without' : 'with'} a cache, and windows behind it`,
    parts: () => {
      // Every other look at the clock answers the oldest call.
      const waiting: (() => void)[] = [];
      let looks = 0;
      const open = lookups({
        verb: 'lookupJoin',
        key: (row: Row) => (row.id % 9 === 0 ? null : row.id % 6),
        lookup: (key: number) =>
          new Later(waiting, key === 3 ? null : key === 4 ? [{ key }, { key }] : { key }),
        cache:
          cache === null
            ? null
            : { ...cache, bytesMax: null, expireAfterAccessMs: null, keepsMissing: true },
        isOuter: true,
        join: (left, right) => ({
          id: (left as Row).id,
          copy: (right as { key: number } | null)?.key ?? -1,
        }),
        of: {},
        open: null,
        close: null,
      });
      const epochMs = (): number => {
        if (++looks % 2 === 0) waiting.shift()?.();
        return 0;
      };
      return beforeWindows(open, epochMs, 'ordered');
    },
    records,
    times: records.map(({ at }) => at),
    watermarks,
    isUnordered: true,
  });
}
