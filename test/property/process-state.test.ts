/** Process functions whose keys come and go within a batch, against a Map: entries are found before its rows are. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  batchOf,
  chainOf,
  line,
  MemorySnapshot,
  op,
  untilDone,
} from '../unit/operator/chain-harness.js';

interface Row {
  readonly k: number;
  readonly does: 'add' | 'clear' | 'read';
}

interface Seen {
  readonly k: number;
  readonly n: number;
}

const counts = op.process<Row, Seen>(['k'], (context) => {
  const n = context.state.value<number>({ name: 'n', type: { kind: 'number' } });
  const last = context.state.value<number>({ name: 'last', type: { kind: 'number' } });
  return {
    processElement({ k, does }, { collect }) {
      if (does === 'add') n.update((n.value() ?? 0) + 1);
      if (does === 'clear') {
        n.clear();
        last.clear();
      }
      if (does === 'read' && n.value() !== undefined) last.update(k);
      collect({ k, n: n.value() ?? 0 });
    },
  };
});

const rows = fc.array(
  fc.record({
    k: fc.integer({ min: -2, max: 3 }),
    does: fc.constantFrom<Row['does']>('add', 'add', 'clear', 'read'),
  }),
  { minLength: 1, maxLength: 12 },
);

it('sees what its key has, whatever the rows before it in the batch have removed and made', () => {
  fc.assert(
    fc.property(
      fc.array(rows, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(1, 3, 1000),
      fc.option(fc.nat(11)),
      (batches, budgetRows, movesAfter) => {
        let chain = chainOf({ operators: line(counts), capacity: 3 });
        const expected: Seen[] = [];
        const model = new Map<number, number>();
        for (const [at, batch] of batches.entries()) {
          for (const { k, does } of batch) {
            if (does === 'add') model.set(k, (model.get(k) ?? 0) + 1);
            if (does === 'clear') model.delete(k);
            expected.push({ k, n: model.get(k) ?? 0 });
          }
          untilDone((cursor) => chain.task.step(0, batchOf(batch), cursor, budgetRows));
          if (at !== movesAfter) continue;
          untilDone((cursor) => chain.task.prepareBarrier(cursor, budgetRows));
          const snapshot = new MemorySnapshot();
          chain.task.snapshot(snapshot);
          untilDone(() => (chain.task.flush() ? 0 : 1));
          chain.task.close();
          chain = chainOf({ operators: line(counts), capacity: 3, from: chain });
          chain.task.restore(snapshot);
        }
        untilDone((cursor) => chain.task.endOfInput(cursor, budgetRows));
        untilDone(() => (chain.task.flush() ? 0 : 1));
        expect(chain.ports[0].left.map(({ record }) => record)).toEqual(expected);
        chain.task.close();
      },
    ),
    { numRuns: 60 },
  );
});
