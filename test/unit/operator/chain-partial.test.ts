/** When a partial aggregation of windows hands on what it holds, without an exchange behind it to see it. */
import { expect, it } from 'vitest';
import { ChainErrors } from '../../../src/operator/chain-errors.js';
import { KeyedRun } from '../../../src/operator/chain-keyed.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { col } from '../../../src/operator/expression-builder.js';
import { WATERMARK_MAX } from '../../../src/time/watermark.js';
import { batchOf, chainOf, line, op, untilDone } from './chain-harness.js';

const total = { total: { fn: 'sum', of: col('value') } } as const;

/** A partial aggregation, and the panes that it has handed on so far with their rows. */
function partial(
  sizeMs: number,
  slideMs = sizeMs,
  preAggregateKeysMax = 100_000,
  keys: readonly string[] = ['key'],
) {
  const spec = { ...op.window(keys, total, { sizeMs, slideMs }), phase: 'partial' } as const;
  const chain = chainOf({ operators: line(spec), preAggregateKeysMax });
  const { task, ports } = chain;
  const add = (at: number, keys: number): void => {
    const records = Array.from({ length: keys }, (_, key) => ({ key, value: 1 }));
    const batch = batchOf(records, { times: records.map(() => at) });
    untilDone((cursor) => task.step(0, batch, cursor, 1000));
  };
  const advance = (watermarkMs: number): void =>
    untilDone((cursor) => task.advance(watermarkMs, cursor, 1000));
  const given = (): Readonly<Record<string, number>> => {
    untilDone(() => (task.flush() ? 0 : 1));
    const panes: Record<string, number> = {};
    for (const { record } of ports[0].left) {
      const { $pane: pane, $rows: rows } = record as { $pane: number; $rows: number };
      panes[pane] = (panes[pane] ?? 0) + rows;
    }
    return panes;
  };
  return { task, add, advance, given };
}

it('hands on before an entry has more rows than it can count', () => {
  const spec = op.window(['key'], total, { sizeMs: 10 });
  const keyed = new KeyedRun({
    operator: 0,
    spec: { ...spec, phase: 'partial' },
    openTable: (_uid, table) => createHotTable(table, { keyGroups: { start: 0, end: 127 } }),
    errors: new ChainErrors([spec], 'partial', 0),
    clock: { epochMs: () => 0, monotonicMs: () => 0 },
    countLate: () => undefined,
    preAggregateKeysMax: 100,
    space: null,
    groupOf: () => 0,
  });
  keyed.rows = 2 ** 30 - 1;
  expect(keyed.isFull).toBe(false);
  keyed.rows++;
  expect(keyed.isFull).toBe(true);
});

it('holds a pane until its watermark, over those before', () => {
  const { add, advance, given } = partial(10);
  add(1, 3);
  advance(5);
  add(6, 3);
  advance(8);
  expect(given()).toEqual({});
  advance(9);
  expect(given()).toEqual({ 0: 6 });
});

it('hands on panes of sliding windows, each of which ends before a window does', () => {
  const { add, advance, given } = partial(10, 4);
  add(1, 2);
  advance(0);
  expect(given()).toEqual({});
  advance(1);
  expect(given()).toEqual({ 0: 2 });
});

it('hands on many entries once a later pane has begun, and few only with the watermark', () => {
  const { add, advance, given } = partial(10);
  for (const at of [1, 2, 3]) add(at, 5000);
  expect(given()).toEqual({});
  add(11, 1);
  expect(given()).toEqual({ 0: 15_000, 10: 1 });
  add(12, 10);
  add(21, 10);
  expect(given()).toEqual({ 0: 15_000, 10: 1 });
  advance(19);
  expect(given()).toEqual({ 0: 15_000, 10: 11, 20: 10 });
});

it('holds a pane on while stragglers of one before come in', () => {
  const { add, advance, given } = partial(10);
  add(11, 5000);
  for (const at of [1, 12, 2, 13]) add(at, 6000);
  expect(given()).toEqual({});
  advance(9);
  expect(given()).toEqual({ 0: 12_000, 10: 17_000 });
});

it('hands on all before what follows is idle, before a barrier, when it is full and at the end', () => {
  const { task, add, advance, given } = partial(10, 10, 7);
  add(1, 1);
  advance(2);
  task.inputIdle(true);
  advance(2);
  expect(given()).toEqual({ 0: 1 });
  task.inputIdle(false);
  add(1, 2);
  untilDone((cursor) => task.prepareBarrier(cursor, 1000));
  expect(given()).toEqual({ 0: 3 });
  for (const keys of [6, 6, 6, 7]) add(1, keys);
  expect(given()).toEqual({ 0: 28 });
  add(1, 2);
  expect(given()).toEqual({ 0: 28 });
  advance(WATERMARK_MAX);
  expect(given()).toEqual({ 0: 30 });
});

it('goes on adding up without a key, however few rows a window has', () => {
  const { add, advance, given } = partial(1, 1, 10, []);
  for (let at = 0; at < 10_000; at++) add(at, 1);
  advance(10_000);
  add(20_000, 5);
  expect(given()[20_000]).toBeUndefined();
  advance(20_000);
  expect(given()[20_000]).toBe(5);
});
