import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SavepointReader } from '../../../src/savepoint/savepoint-reader.js';
import { savepointOfEveryState } from '../../fixtures/every-state.mjs';
import { recordOf, SPLITS, USERS } from '../../fixtures/jobs/every-state.mjs';
import { TableJob } from '../checkpoint/table-job.js';

describe('a reader of a chain of changes', () => {
  it('reads what the table held, key group by key group', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(fc.constant('write'), fc.nat({ max: 40 }), fc.boolean()) },
      { weight: 2, arbitrary: fc.tuple(fc.constant('checkpoint'), fc.nat(), fc.constant(false)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('full'), fc.nat(), fc.boolean()) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('merge'), fc.nat(), fc.boolean()) },
    );
    const seen = { chains: 0, removed: 0 };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const job = new TableJob();
        const model = new Map<number, number>();
        const write = (key: number, sum: number | null): void => {
          job.write(key, sum);
          if (sum === null) seen.removed += model.delete(key) ? 1 : 0;
          else model.set(key, sum);
        };
        for (let key = 0; key < 20; key++) write(key, key);
        job.checkpoint();
        for (const [index, [kind, number, flag]] of steps.entries()) {
          if (kind === 'write') write(number, flag ? index : null);
          else if (kind === 'merge') job.merge();
          else job.checkpoint(kind === 'full');
        }
        const { pieces } = job.checkpoint();
        if (pieces.some(({ isChanges }) => isChanges)) seen.chains++;
        const [{ path }] = job.store.retained;
        const reader = SavepointReader.read(path, job.disk);
        const entries = [...reader.readKeyedState('op', 'sums')];
        expect(new Map(entries.map(({ key, value }) => [key, value]))).toEqual(
          new Map([...model].map(([key, sum]) => [key, { sum }])),
        );
        expect(entries).toHaveLength(model.size);
        expect(reader.count('op', 'sums')).toBe(model.size);
        const groups = entries.map(({ keyGroup }) => keyGroup);
        expect(groups).toEqual(groups.toSorted((a, b) => a - b));
        const inTwo = [...reader.readKeyedState('op', 'sums', { keyGroups: [2] })];
        expect(inTwo).toEqual(entries.filter(({ keyGroup }) => keyGroup === 2));
        reader.close();
      }),
    );
    expect(seen.chains).toBeGreaterThan(10);
    expect(seen.removed).toBeGreaterThan(10);
  });
});

describe('a reader of a savepoint', () => {
  const LIMIT = 20;
  let directory: string;
  let reader: SavepointReader;
  const records = Array.from({ length: LIMIT * SPLITS }, (_, at) =>
    recordOf(at % SPLITS, Math.floor(at / SPLITS)),
  );
  const of = (user: string): typeof records => records.filter((record) => record.user === user);
  const sorted = (numbers: unknown): number[] => (numbers as number[]).toSorted((a, b) => a - b);

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-savepoint-'));
    const path = await savepointOfEveryState(directory, LIMIT);
    reader = SavepointReader.read(path ?? '');
  });

  afterAll(() => {
    reader.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(USERS)('gives what %s has of each state of a function', (user) => {
    const own = of(user);
    const numbers = own.map(({ number }) => number);
    const amounts = own.map(({ amount }) => amount);
    const get = (state: string): unknown => reader.get('keeper', state, user);
    const total = amounts.reduce((a, b) => a + b, 0);
    const mine = numbers.filter((number) => number % SPLITS === (get('last') as number) % SPLITS);
    expect(get('last')).toBe(mine.at(-1));
    expect(get('lasting')).toBe(get('last'));
    expect(get('isKnown')).toBe(true);
    expect(get('big')).toBe(records[get('last') as number]?.big);
    expect(get('title')).toBe(`title of ${user}`);
    expect(get('profile')).toMatchObject({ tags: new Set([user]) });
    expect(sorted(get('amounts'))).toEqual(sorted(amounts));
    expect(sorted(get('recent'))).toEqual(numbers);
    const visits = get('visits') as { number: number; at: Date }[];
    expect(sorted(visits.map(({ number }) => number))).toEqual(numbers);
    expect(visits.every(({ number, at }) => at.getTime() === records[number]?.at)).toBe(true);
    const days = get('days') as Map<Date, number>;
    expect([...days.values()].reduce((a, b) => a + b, 0)).toBe(own.length);
    expect([...days.keys()].every((day) => own.some((one) => +one.day === +day))).toBe(true);
    expect(
      sorted([...(get('pages') as Map<string, number>).keys()].map((name) => +name.slice(5))),
    ).toEqual(sorted([...new Set(numbers.map((number) => number % 4))]));
    expect(get('total')).toBe(total);
    expect(get('mean')).toEqual({ sum: total, count: own.length });
    expect(get('timers.event')).toEqual(
      own.map(({ at }) => ({ timeMs: at + 86_400_000, space: [] })),
    );
    expect(get('timers.processing')).toEqual([{ timeMs: 4_000_000_000_000, space: [] }]);
  });

  it('gives what operators keep of their own', () => {
    for (const user of USERS) {
      const own = of(user);
      expect(reader.get('aggregate', 'accumulators', user)).toMatchObject({ rows: own.length });
      const day = own[0]?.day as Date;
      expect(reader.get('by-two', 'accumulators', [user, day.toISOString()])).toEqual({
        rows: own.filter((one) => +one.day === +day).length,
      });
      expect(reader.get('distinct-bca8df79', 'seen', user)).toEqual({});
      const best = own.slice(-2).toReversed();
      expect(reader.get('top', 'ranked', user)).toEqual({
        1: [{ user, number: best[0]?.number }],
        2: [{ user, number: best[1]?.number }],
        count: 2,
      });
      const rows = reader.get('join', 'rows', user) as Record<string, { number: number }[]>;
      expect(sorted(rows['0']?.map(({ number }) => number))).toEqual(own.map((one) => one.number));
      expect(sorted(rows['1']?.map(({ number }) => number))).toEqual(own.map((one) => one.number));
    }
    for (const big of [0n, 10_000_000_000n]) {
      const amounts = records.filter((one) => one.big === big).map(({ amount }) => amount);
      expect(reader.get('reduce', 'reduced', String(big))).toMatchObject({
        big,
        amount: amounts.reduce((a, b) => a + b, 0),
      });
    }
    const open = [...reader.readKeyedState('tumbling', 'accumulators')];
    expect(open.length).toBeGreaterThan(0);
    expect(open.every(({ more: [start] }) => (start as number) % 20_000 === 0)).toBe(true);
  });

  it('gives state without keys', () => {
    expect(sorted(reader.readListState('keeper', 'seen'))).toEqual([0, 1, 2, 3]);
    expect(reader.readListState('keeper', 'shared')).toEqual(
      expect.arrayContaining([{ number: 0 }, { number: 20 }]),
    );
    const rules = reader.readBroadcastState('broadcast', 'rules');
    for (const user of USERS) {
      expect(rules.get(user)).toBe(of(user).reduce((total, { number }) => total + number, 0));
    }
  });

  it('tells operators, positions and pending output', () => {
    expect(reader).toMatchObject({ kind: 'savepoint', id: 1, jobName: 'every-state' });
    const operators = new Map(reader.operators.map((one) => [one.uid, one]));
    expect(operators.get('records')).toMatchObject({ parallelism: 2, maxParallelism: 8 });
    const { inHand = [] } = operators.get('records')?.source ?? {};
    expect(inHand.toSorted((a, b) => (a.split < b.split ? -1 : 1))).toEqual([
      { split: 'records-0', position: LIMIT },
      { split: 'records-1', position: LIMIT },
    ]);
    expect(operators.get('keeper-out')?.sink?.pending).toBeGreaterThan(0);
    const kinds = operators.get('keeper')?.states.map(({ name, kind }) => [name, kind]);
    expect(Object.fromEntries(kinds ?? [])).toEqual({
      last: 'value',
      profile: 'value',
      isKnown: 'value',
      big: 'value',
      title: 'value',
      lasting: 'value',
      amounts: 'list',
      visits: 'list',
      recent: 'list',
      days: 'map',
      pages: 'map',
      total: 'value',
      mean: 'value',
      'timers.event': 'timers',
      'timers.processing': 'timers',
      seen: 'operatorList',
      shared: 'unionList',
    });
    expect(operators.get('keeper')?.states[0]?.keyTypes).toEqual([]);
    expect(operators.get('by-two')?.states[0]?.keyTypes).toEqual(['utf8', 'timestamp']);
    for (const { uid, states } of reader.operators) {
      for (const { name, kind } of states) {
        if (!/^(operatorList|unionList|broadcast)$/.test(kind)) {
          expect(reader.count(uid, name)).toBe([...reader.readKeyedState(uid, name)].length);
        }
      }
    }
  });

  it('names what is near a wrong name, and refuses keys of other types', () => {
    const refused = (act: () => unknown, code: string, advice: RegExp): void =>
      expect(act).toThrow(expect.objectContaining({ code, advice: expect.stringMatching(advice) }));
    refused(() => reader.get('kepeer', 'last', 'ann'), 'STATE_NOT_FOUND', /"keeper"/);
    refused(() => reader.get('keeper', 'lst', 'ann'), 'STATE_NOT_FOUND', /"last"/);
    refused(() => reader.readListState('keeper', 'last'), 'OPTION_INVALID', /readKeyedState/);
    refused(() => reader.get('keeper', 'seen', 'ann'), 'OPTION_INVALID', /readListState/);
    refused(() => reader.get('by-two', 'accumulators', 'ann'), 'KEY_UNSUPPORTED', /array/);
    refused(() => reader.get('reduce', 'reduced', 'ann'), 'KEY_UNSUPPORTED', /scan/);
    expect(reader.get('keeper', 'last', 'nobody')).toBeUndefined();
  });
});
