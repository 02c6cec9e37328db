import { describe, expect, it } from 'vitest';
import { batchOf, chainOf, line, op, recordsOf, runChain, untilDone } from './chain-harness.js';

describe('chains of functions', () => {
  it('maps and filters objects', () => {
    const records = recordsOf(
      {
        operators: line(
          op.map((r: { a: number }) => ({ b: r.a * 2, c: 'x' })),
          op.filter((r: { b: number }) => r.b > 2),
          op.map((r: { b: number; c: string }) => ({ ...r, d: r.c + r.b })),
        ),
      },
      [{ a: 1 }, { a: 2 }, { a: 3 }],
    );
    expect(records).toEqual([
      { b: 4, c: 'x', d: 'x4' },
      { b: 6, c: 'x', d: 'x6' },
    ]);
  });

  it('maps values and tuples', () => {
    expect(recordsOf({ operators: line(op.map((n: number) => n + 1)) }, [1, 2])).toEqual([2, 3]);
    expect(
      recordsOf({ operators: line(op.map(([a, b]: [number, string]) => [b, a])) }, [
        [1, 'x'],
        [2, 'y'],
      ]),
    ).toEqual([
      ['x', 1],
      ['y', 2],
    ]);
  });

  it('flattens arrays, iterables and generators', () => {
    const fn = (n: number) =>
      n === 0
        ? null
        : n === 1
          ? [1]
          : n === 2
            ? new Set([2, 20])
            : (function* () {
                yield 3;
                yield 30;
              })();
    expect(recordsOf({ operators: line(op.flatMap(fn)) }, [0, 1, 2, 3])).toEqual([1, 2, 20, 3, 30]);
  });

  it('widens an inferred schema without calling the function twice', () => {
    let calls = 0;
    const fn = (n: number): unknown => {
      calls++;
      if (n === 100) return { n: 'text', extra: true };
      if (n === 150) return { n: null };
      return { n };
    };
    const input = Array.from({ length: 200 }, (_, n) => n);
    const records = recordsOf({ operators: line(op.map(fn)) }, input);
    expect(records).toHaveLength(200);
    expect(records[100]).toEqual({ n: 'text', extra: true });
    expect(records[150]).toEqual({ n: null });
    expect(records[199]).toEqual({ n: 199 });
    expect(calls).toBe(200);
  });

  it('calls a process function behind a function whose records nobody else looks into', () => {
    const operators = line(
      op.map((row: { a: number }) => ({ b: row.a })),
      op.process<{ b: number }, number>(null, () => ({
        processElement: ({ b }, { collect }) => collect(b),
      })),
    );
    expect(recordsOf({ operators }, [{ a: 1 }, { a: 2 }])).toEqual([1, 2]);
  });

  it('passes rows through', () => {
    const input = [
      { a: 1, t: 'x', n: null, d: new Date(5) },
      { a: 2, t: 'ü', n: 5, d: new Date(6) },
    ];
    expect(recordsOf({ operators: [] }, input)).toEqual(input);
  });

  it('shows its code', () => {
    const chain = chainOf({ operators: line(op.map((r: { a: number }) => ({ b: r.a }))) });
    const batch = batchOf([{ a: 1 }]);
    untilDone((cursor) => chain.task.step(0, batch, cursor, 10));
    if (process.env.SHOW) process.stdout.write(`${chain.task.code()}\n`);
    expect(chain.task.code()).toContain('map "map"');
  });
});

void runChain;
