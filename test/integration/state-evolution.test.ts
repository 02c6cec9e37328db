/** States of functions whose declarations change between versions of a job that goes on from a savepoint. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  collectSink,
  count,
  type DataType,
  defineSource,
  type Field,
  first,
  type JobExecution,
  job,
  type MillraceError,
  type ProcessContext,
  start,
  sum,
} from 'millrace';
import { explainRestore, type RestoreReport, SavepointReader } from 'millrace/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const field = (name: string, kind: DataType['kind'], more: Partial<Field> = {}): Field => {
  return { name, type: { kind } as DataType, nullable: false, optional: false, ...more };
};
const struct = (...all: readonly Field[]): DataType => ({ kind: 'struct', fields: all });

const PROFILE = struct(field('name', 'utf8'), field('visits', 'int32'), field('old', 'utf8'));
const PROFILE_NOW = struct(
  field('title', 'utf8'),
  field('visits', 'int64'),
  field('vat', 'number'),
  field('note', 'utf8', { nullable: true }),
);

interface Order {
  readonly customer: string;
  readonly amount: number;
}

/** A function of one version: declares states, and takes a record. */
type Version = (
  state: ProcessContext['state'],
) => (order: Order, collect: (record: Record<string, unknown>) => void) => void;

const first1: Version = (state) => {
  const profile = state.value<unknown>({ name: 'profile', type: PROFILE });
  const hits = state.value<number>({ name: 'hits', type: { kind: 'int32' } });
  const amounts = state.list<number>({ name: 'amounts', type: { kind: 'number' } });
  const days = state.map<string, unknown>({ name: 'days', type: PROFILE, ttl: '9h' });
  const total = state.reducing<number>({ name: 'total' }, (a, b) => a + b);
  const gone = state.value<boolean>({ name: 'gone', type: { kind: 'bool' } });
  return ({ customer, amount }) => {
    const visits = (hits.value() ?? 0) + 1;
    hits.update(visits);
    profile.update({ name: customer, visits, old: 'x' });
    amounts.add(amount);
    days.put(`day ${visits}`, { name: customer, visits, old: 'y' });
    total.add(amount);
    gone.update(true);
  };
};

const EVOLVED = {
  type: PROFILE_NOW,
  renames: { name: 'title' },
  defaults: { vat: 19 },
} as const;

let migrated: unknown[] = [];

const second: Version = (state) => {
  const profile = state.value<Record<string, unknown>>({ name: 'profile', ...EVOLVED });
  const hits = state.value<number>({ name: 'hits', type: { kind: 'number' } });
  const amounts = state.list<bigint>({
    name: 'amounts',
    type: { kind: 'int64' },
    migrate(euros: number) {
      migrated.push(euros);
      return BigInt(euros * 100);
    },
  });
  const days = state.map<string, Record<string, unknown>>({ name: 'days', ...EVOLVED, ttl: '9h' });
  const total = state.reducing<number>(
    { name: 'total', type: { kind: 'number' }, migrate: Number },
    (a, b) => a + b,
  );
  const fresh = state.value<number>({ name: 'fresh' });
  return ({ amount }, collect) => {
    hits.update((hits.value() ?? 0) + 1);
    amounts.add(BigInt(amount * 100));
    total.add(amount);
    fresh.update(1);
    collect({
      profile: profile.value(),
      hits: hits.value(),
      amounts: [...amounts.get()],
      days: [...days.entries()],
      total: total.get(),
    });
  };
};

describe('states whose declaration has changed', () => {
  let directory: string;
  let sink = collectSink<Record<string, unknown>>();

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-evolution-'));
    sink = collectSink();
    migrated = [];
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const customers = ['ann', 'bob', 'cleo'];

  /** The first `until` orders; then the source waits. */
  const orders = (until: number) =>
    defineSource<Order>({
      name: 'orders',
      bounded: false,
      async *read(_split, position, { signal }) {
        for (let id = position; id < until; id++) {
          yield { customer: customers[id % 3] ?? '', amount: id };
        }
        if (!signal.aborted) await new Promise((done) => signal.addEventListener('abort', done));
      },
    });

  const jobOf = (version: Version, source: ReturnType<typeof orders>) =>
    job('orders', (flow) => {
      flow
        .from(source, { uid: 'orders' })
        .keyBy('customer')
        .process(
          ({ state }) => {
            const take = version(state);
            return { processElement: (order, { collect }) => take(order, collect) };
          },
          { uid: 'keeper' },
        )
        .to(sink, { uid: 'sink' });
    });

  const settingsOf = (from: string | null) => ({
    'execution.checkpointing.interval': '1h',
    'execution.checkpointing.dir': 'checkpoints',
    'execution.checkpointing.savepointDir': 'saved',
    ...(from === null ? {} : { 'execution.stateRecovery.path': from }),
  });

  /** Runs until all orders up to `until` are in state, and stops with a savepoint. */
  const stopAt = async (
    until: number,
    version: Version,
    from: string | null = null,
    parallelism = 2,
  ): Promise<string> => {
    const execution = await start(jobOf(version, orders(until)), {
      runtime: 'in-thread',
      parallelism,
      maxParallelism: 8,
      baseDirectory: directory,
      settings: settingsOf(from),
    });
    const ended = execution.finished.catch((error: unknown) => error);
    const begun = from === null ? 0 : positionOf(from);
    const rowsIn = () =>
      execution.metrics().vertices.find(({ name }) => name === 'process')?.rowsIn;
    while (rowsIn() !== until - begun) {
      const failed = await Promise.race([ended, sleep(2, null)]);
      if (failed !== null) throw failed ?? new Error('The job has ended.');
    }
    const { path } = await execution.savepoint({ stop: 'suspend' });
    await ended;
    return path ?? '';
  };

  /** Orders that a savepoint has read. */
  const positionOf = (path: string): number => {
    const reader = SavepointReader.read(path);
    try {
      const source = reader.operators.find(({ uid }) => uid === 'orders')?.source;
      return Number(source?.inHand[0]?.position);
    } finally {
      reader.close();
    }
  };

  const planOf = (version: Version, from: string): RestoreReport =>
    explainRestore(jobOf(version, orders(9)), {
      runtime: 'in-thread',
      parallelism: 2,
      maxParallelism: 8,
      baseDirectory: directory,
      settings: settingsOf(from),
    });

  const failure = async (going: Promise<unknown>): Promise<MillraceError> => {
    try {
      await going;
    } catch (error) {
      return error as MillraceError;
    }
    throw new Error('It was accepted.');
  };

  const contents = (path: string, state: string) => {
    const reader = SavepointReader.read(path);
    try {
      const info = reader.operators
        .find(({ uid }) => uid === 'keeper')
        ?.states.find(({ name }) => name === state);
      const entries = [...reader.readKeyedState('keeper', state)].map(({ key, value }) => [
        key,
        value,
      ]);
      return { type: info?.valueType, entries: new Map(entries as [string, unknown][]) };
    } finally {
      reader.close();
    }
  };

  it.each([1, 2, 3])('are migrated, at a parallelism of %i', async (parallelism) => {
    const before = await stopAt(6, first1);
    const after = await stopAt(9, second, before, parallelism);
    const ann = sink.rows.find(({ profile }) => (profile as { title: string }).title === 'ann');
    expect(ann).toEqual({
      profile: { title: 'ann', visits: 2n, vat: 19, note: null },
      hits: 3,
      amounts: [0n, 300n, 600n],
      days: [
        ['day 1', { title: 'ann', visits: 1n, vat: 19, note: null }],
        ['day 2', { title: 'ann', visits: 2n, vat: 19, note: null }],
      ],
      total: 9,
    });
    expect(migrated.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    // The old savepoint is as it was; the new one has the new types, and is migrated no more.
    expect(contents(before, 'amounts')).toEqual({
      type: 'number',
      entries: new Map([
        ['ann', [0, 3]],
        ['bob', [1, 4]],
        ['cleo', [2, 5]],
      ]),
    });
    expect(contents(after, 'amounts')).toEqual({
      type: 'int64',
      entries: new Map([
        ['ann', [0n, 300n, 600n]],
        ['bob', [100n, 400n, 700n]],
        ['cleo', [200n, 500n, 800n]],
      ]),
    });
    expect(contents(after, 'profile').type).toContain('title: utf8');
    expect(planOf(second, after).operators.find(({ uid }) => uid === 'keeper')?.states).toEqual(
      ['profile', 'hits', 'amounts', 'days', 'total', 'fresh'].map((name) =>
        expect.objectContaining({ name, fate: 'compatibleAsIs' }),
      ),
    );
    await stopAt(12, second, after);
    expect(migrated).toHaveLength(6);
    // Whoever goes back goes on from what was left alone.
    await stopAt(9, first1, before);
  });

  it('are told by the plan before anything is done', async () => {
    const before = await stopAt(6, first1);
    const plan = planOf(second, before);
    const states = plan.operators.find(({ uid }) => uid === 'keeper')?.states ?? [];
    expect(plan.refusals).toEqual([]);
    expect(Object.fromEntries(states.map(({ name, fate }) => [name, fate]))).toEqual({
      profile: 'compatibleAfterMigration',
      hits: 'compatibleAfterMigration',
      amounts: 'compatibleAfterMigration',
      days: 'compatibleAfterMigration',
      total: 'compatibleAfterMigration',
      fresh: 'new',
      gone: 'dropped',
    });
    expect(states[0]?.how).toEqual([
      'name is called title',
      'visits: int32 → int64',
      'vat is new, with a default',
      'note is new, and null',
      'old is left out',
    ]);
    expect(migrated).toEqual([]);
  });

  it.each<[string, Version, RegExp, string | undefined]>([
    [
      'a field that is new without a value',
      (state) => {
        state.value({
          name: 'profile',
          type: struct(...fieldsOf(PROFILE), field('vat', 'number')),
        });
        return () => {};
      },
      /"vat" is new, is neither nullable nor optional, and has no default/,
      'vat',
    ],
    [
      'a narrower type',
      (state) => {
        const fields = fieldsOf(PROFILE).map((one) =>
          one.name === 'visits' ? field('visits', 'int8') : one,
        );
        state.map({ name: 'days', type: struct(...fields), ttl: '9h' });
        return () => {};
      },
      /"days".*"visits" is int8, which does not hold every int32/s,
      'visits',
    ],
    [
      'another type',
      (state) => {
        state.list({ name: 'amounts', type: { kind: 'utf8' } });
        return () => {};
      },
      /"amounts" was written as number, and is now declared as utf8/,
      undefined,
    ],
    [
      'another kind',
      (state) => {
        state.value({ name: 'amounts', type: { kind: 'number' } });
        return () => {};
      },
      /"amounts" was written as list state.*, and is now declared as value state/,
      undefined,
    ],
    [
      'a list that gets a time to live',
      (state) => {
        state.list({ name: 'amounts', type: { kind: 'number' }, ttl: '1h' });
        return () => {};
      },
      /"amounts" was written as list state without a time to live/,
      undefined,
    ],
  ])('are refused for %s, by the plan and by the job', async (_, version, text, name) => {
    const before = await stopAt(6, first1);
    const [refusal, ...others] = planOf(version, before).refusals;
    expect(others).toEqual([]);
    const where = { uid: 'keeper', ...(name === undefined ? {} : { field: name }) };
    expect(refusal).toMatchObject({
      code: 'STATE_INCOMPATIBLE',
      message: expect.stringMatching(text),
      where: { job: 'orders', ...where },
    });
    const error = await failure(stopAt(9, version, before));
    expect(error).toMatchObject({
      code: 'STATE_INCOMPATIBLE',
      message: expect.stringMatching(text),
      where,
    });
  });

  it('fail once when migrate does', async () => {
    const before = await stopAt(6, first1);
    let calls = 0;
    const error = await failure(
      stopAt(
        9,
        (state) => {
          state.value({
            name: 'profile',
            type: PROFILE_NOW,
            migrate() {
              calls++;
              throw new Error('no idea');
            },
          });
          return () => {};
        },
        before,
        1,
      ),
    );
    expect(error).toMatchObject({ code: 'STATE_INCOMPATIBLE', where: { uid: 'keeper' } });
    expect(error.message).toContain('no idea');
    expect(calls).toBe(1);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['rules without a type', { defaults: { vat: 1 } }, /defaults needs the type/],
    ['rules for what is no field', { type: PROFILE_NOW, defaults: { vatt: 1 } }, /no field "vatt"/],
    [
      'both rules and a function',
      { type: PROFILE_NOW, renames: {}, migrate: Number },
      /renames and migrate/,
    ],
  ])('are refused for %s', async (_, declared, text) => {
    const version: Version = (state) => {
      state.value({ name: 'profile', ...declared });
      return () => {};
    };
    const error = await failure(stopAt(3, version));
    expect(error.message).toMatch(text);
  });
});

describe('records whose schema has changed', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-records-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  type Records = readonly Readonly<Record<string, unknown>>[];

  /** What comes of records of two versions, which is given as soon as it is the last one of its key. */
  const totalsOf = async (versions: readonly { all: Records; schema: readonly Field[] }[]) => {
    const sink = collectSink<Record<string, unknown>>();
    let from: string | null = null;
    for (const [version, { all, schema }] of versions.entries()) {
      const isLast = version === versions.length - 1;
      const source = defineSource<Record<string, unknown>>({
        name: 'orders',
        schema: { shape: 'object', fields: schema },
        async *read(_split, position, { signal }) {
          yield* all.slice(position);
          if (isLast || signal.aborted) return;
          await new Promise((done) => signal.addEventListener('abort', done));
        },
      });
      const definition = job('orders', (flow) => {
        const keyed = flow.from(source, { uid: 'orders' }).keyBy('customer');
        keyed
          .aggregate(
            { orders: count(), total: sum('amount'), name: first('name') },
            { uid: 'totals' },
          )
          .to(sink, { uid: 'sink' });
        keyed
          .reduce((a, b) => ({ ...b, amount: Number(a['amount']) + Number(b['amount']) }), {
            uid: 'reduced',
          })
          .to(sink, { uid: 'reduced-sink' });
      });
      const execution: JobExecution = await start(definition, {
        runtime: 'in-thread',
        parallelism: 2,
        maxParallelism: 8,
        baseDirectory: directory,
        settings: {
          'execution.checkpointing.interval': '1h',
          'execution.checkpointing.dir': 'checkpoints',
          'execution.checkpointing.savepointDir': 'saved',
          ...(from === null ? {} : { 'execution.stateRecovery.path': from }),
        },
      });
      const { finished } = execution;
      if (!isLast) {
        const read = () => execution.metrics().vertices.find(({ name }) => name === 'orders');
        while (read()?.rowsOut !== 2 * all.length) await sleep(2);
        from = (await execution.savepoint({ stop: 'suspend' })).path;
      }
      await finished;
    }
    return sink.rows;
  };

  const before = {
    all: [
      { customer: 'ann', amount: 1, name: 'Ann', old: true },
      { customer: 'bob', amount: 2, name: 'Bob', old: true },
    ],
    schema: [
      field('customer', 'utf8'),
      field('amount', 'int32'),
      field('name', 'utf8'),
      field('old', 'bool'),
    ],
  };

  it('are aggregated on, with fields added, removed and widened', async () => {
    const schema = [
      field('customer', 'utf8'),
      field('amount', 'float64'),
      field('name', 'utf8', { nullable: true }),
      field('note', 'utf8', { nullable: true }),
    ];
    const more = { customer: 'ann', amount: 0.5, name: null, note: 'new' };
    const rows = await totalsOf([before, { all: [...before.all, more], schema }]);
    expect(rows).toHaveLength(4);
    expect(rows).toEqual(
      expect.arrayContaining([
        { customer: 'ann', orders: 2, total: 1.5, name: 'Ann' },
        { customer: 'bob', orders: 1, total: 2, name: 'Bob' },
        expect.objectContaining({ customer: 'ann', amount: 1.5, note: 'new' }),
        expect.objectContaining({ customer: 'bob', amount: 2 }),
      ]),
    );
  });

  it.each<[string, Field[], Readonly<Record<string, unknown>>, RegExp]>([
    [
      'keys of another type',
      [field('customer', 'int32'), field('amount', 'int32'), field('name', 'utf8')],
      { customer: 1, amount: 1, name: '' },
      /keeps state for customer: utf8, but its records now need customer: int32/,
    ],
    [
      'sums of another type',
      [field('customer', 'utf8'), field('amount', 'int64'), field('name', 'utf8')],
      { customer: 'ann', amount: 1n, name: '' },
      /keeps state for total: int32, but its records now need total: int64/,
    ],
  ])('are refused with %s', async (_, schema, more, text) => {
    const going = totalsOf([before, { all: [...before.all, more], schema }]);
    await expect(going).rejects.toMatchObject({
      code: 'STATE_INCOMPATIBLE',
      message: expect.stringMatching(text),
      where: { uid: expect.stringMatching('totals|reduced') },
    });
  });
});

function fieldsOf(type: DataType): readonly Field[] {
  return type.kind === 'struct' ? type.fields : [];
}
