/** Windowed aggregations keep the contract of operators, with watermarks, lateness and state that moves. */
import { outputTag } from '../../src/operator/process-function.js';
import { alignedAssigner, sessionAssigner } from '../../src/operator/window/assigner.js';
import { timeEvictor } from '../../src/operator/window/evictor.js';
import { reduceFold } from '../../src/operator/window/fold.js';
import {
  countTrigger,
  processingTimeoutTrigger,
  purgingTrigger,
} from '../../src/operator/window/trigger.js';
import type { Aggregation, OperatorSpec } from '../../src/operator/operator-spec.js';
import {
  openWindows,
  type WindowOperatorParts,
} from '../../src/operator/window/window-operator.js';
import { col } from '../../src/operator/expression-builder.js';
import { aggregatesOf, line, op } from '../unit/operator/chain-harness.js';
import { describeOperator } from './operator-contract.js';

interface Row {
  readonly id: number;
  readonly user: string;
  readonly at: number;
}

const records: readonly Row[] = Array.from({ length: 60 }, (_, id) => ({
  id,
  user: ['ann', 'bob', 'zoë', '🦉'][(id * 7) % 4],
  at: 100 * id - ((id * 37) % 450) - 1000,
}));
const times = records.map(({ at }) => at);
const watermarks = [
  { afterRecords: 3, watermarkMs: -1050 },
  { afterRecords: 9, watermarkMs: -700 },
  { afterRecords: 10, watermarkMs: 0 },
  { afterRecords: 31, watermarkMs: 1750 },
  { afterRecords: 50, watermarkMs: 3900 },
];
const common = { records, times, watermarks, isUnordered: true };
const aggregates = {
  rows: { fn: 'count' },
  least: { fn: 'min', of: col('id') },
  users: { fn: 'countDistinct', of: col('user') },
  ids: { fn: 'collect', of: col('id') },
} as const;

const mean = () => ({ fn: 'avg', of: col('id') }) as const;

describeOperator({
  ...common,
  name: 'tumbling windows by key',
  parts: () => ({ operators: line(op.window(['user'], aggregates, { sizeMs: 700 })) }),
});

describeOperator({
  ...common,
  name: 'tumbling windows without a key, with an offset',
  parts: () => ({
    operators: line(op.window([], aggregates, { sizeMs: 500, offsetMs: -130 })),
  }),
});

describeOperator({
  ...common,
  name: 'sliding windows',
  parts: () => ({
    operators: line(op.window(['user'], aggregates, { sizeMs: 700, slideMs: 200 })),
  }),
});

describeOperator({
  ...common,
  name: 'sliding windows of panes',
  parts: () => {
    const { ids: _ids, users: _users, ...mergeable } = aggregates;
    const exact = { fn: 'sum', of: col('id').mul(0.1), exact: true } as const;
    return {
      operators: [
        {
          spec: op.window(
            ['user'],
            { ...mergeable, exact, most: { fn: 'max', of: col('user') }, mean: mean() },
            { sizeMs: 700, slideMs: 200, offsetMs: 30, lateTag: 'late' },
          ),
          input: -1,
        },
        { spec: op.sideOutput('late'), input: 0 },
      ],
      outputs: [{ after: 0 }, { after: 1 }],
    };
  },
});

describeOperator({
  ...common,
  name: 'sliding windows that fire again',
  parts: () => ({
    operators: line(
      op.window(['user'], aggregates, { sizeMs: 600, slideMs: 200, allowedLatenessMs: 300 }),
    ),
  }),
});

describeOperator({
  ...common,
  name: 'windows with gaps between them and a side output of late records',
  parts: () => ({
    operators: [
      {
        spec: op.window(['user'], aggregates, { sizeMs: 300, slideMs: 500, lateTag: 'late' }),
        input: -1,
      },
      { spec: op.sideOutput('late'), input: 0 },
    ],
    outputs: [{ after: 0 }, { after: 1 }],
  }),
});

describeOperator({
  ...common,
  name: 'windows in two phases',
  parts: () => {
    const { ids: _ids, users: _users, ...mergeable } = aggregates;
    const whole = op.window(['user'], mergeable, { sizeMs: 600, slideMs: 200 });
    return {
      operators: line({ ...whole, phase: 'partial' }, { ...whole, phase: 'merge' }),
      preAggregateKeysMax: 3,
    };
  },
});

const first = { fn: 'first', of: col('id') } as const;
const { ids: _ids, users: _users, ...others } = aggregates;

describeOperator({
  ...common,
  name: 'sessions',
  parts: () => ({
    operators: [
      {
        spec: op.sessions(
          ['user'],
          { ...others, first, mean: mean() },
          { gapMs: 500, lateTag: 'late' },
        ),
        input: -1,
      },
      { spec: op.sideOutput('late'), input: 0 },
    ],
    outputs: [{ after: 0 }, { after: 1 }],
  }),
});

describeOperator({
  ...common,
  name: 'sessions that fire again, without a key',
  parts: () => ({
    operators: line(op.sessions([], { ...others, first }, { gapMs: 60, allowedLatenessMs: 400 })),
  }),
});

/** A window operator that gives its window, its records and whether it fires again. */
function general(parts: Partial<WindowOperatorParts<Row, never, unknown>>) {
  const late = outputTag<Row>('late');
  const spec = op.process<Row, unknown>(['user'], (context) => {
    const { assigner = alignedAssigner({ sizeMs: 700, slideMs: 200, offsetMs: 0 }, 'event') } =
      parts;
    return openWindows<Row, never, unknown>(
      {
        assigner,
        trigger: assigner.defaultTrigger(),
        evictor: null,
        allowedLatenessMs: 0,
        lateTag: late,
        fold: null,
        fn: (rows, { window, isLateFiring, collect, output }) => {
          const ids = rows.map(({ id }) => id);
          if (ids.length === 1) output(late, { id: -1, user: 'alone', at: window.start });
          for (const part of ids) collect({ ...window, isLateFiring, part, ids });
        },
        ...parts,
      },
      context,
    );
  });
  return {
    operators: [
      { spec, input: -1 },
      { spec: op.sideOutput('late'), input: 0 },
    ],
    outputs: [{ after: 0 }, { after: 1 }],
  };
}

describeOperator({ ...common, name: 'sliding windows of records', parts: () => general({}) });

describeOperator({
  ...common,
  name: 'sessions of records that fire again',
  parts: () =>
    general({
      assigner: sessionAssigner<Row>(({ id }) => 100 + (id % 5) * 60, 'event'),
      allowedLatenessMs: 200,
    }),
});

describeOperator({
  ...common,
  name: 'windows with an evictor and a trigger by both clocks',
  parts: () => {
    const assigner = alignedAssigner({ sizeMs: 900, slideMs: 900, offsetMs: 100 }, 'event');
    return general({
      assigner,
      evictor: timeEvictor(500),
      trigger: processingTimeoutTrigger(assigner.defaultTrigger(), 10_000),
    });
  },
});

describeOperator({
  ...common,
  name: 'windows of records reduced to one',
  parts: () =>
    general({
      fold: reduceFold<Row>((left, right) => ({ ...right, id: left.id + right.id })),
    }),
});

/** A window operator that aggregates, of records some of whose fields are null at first. */
function aggregated(
  parts: Pick<WindowOperatorParts<Priced, never, unknown>, 'assigner'> &
    Partial<WindowOperatorParts<Priced, never, unknown>>,
) {
  const fold: Aggregation = {
    name: 'aggregate',
    keys: ['user'],
    phase: 'single',
    window: { allowedLatenessMs: 0 },
    aggregates: aggregatesOf({
      ...aggregates,
      first,
      mean: mean(),
      odd: { fn: 'sum', of: col('price').mul(0.1), exact: true, filter: col('id').mod(2).eq(1) },
      most: { fn: 'max', of: col('text') },
      prices: { fn: 'countDistinct', of: col('price').mod(3) },
    }),
  };
  const spec = op.process<Priced, unknown>(['user'], (context) =>
    openWindows<Priced, never, unknown>(
      {
        trigger: parts.assigner.defaultTrigger(),
        evictor: null,
        allowedLatenessMs: 0,
        lateTag: null,
        fold,
        fn: null,
        ...parts,
      },
      context,
    ),
  );
  return {
    operators: line(
      op.map(({ id, user }: Row) => ({ id, user, price: id < 25 ? null : id, text: null })),
      op.map((row: Priced) =>
        row.price !== null && row.price > 40 ? { ...row, text: `at ${row.price}` } : row,
      ),
      { ...spec, aggregation: fold } as OperatorSpec,
    ),
  };
}

interface Priced {
  readonly id: number;
  readonly price: number | null;
}

describeOperator({
  ...common,
  name: 'aggregates of sessions of a gap per record that fire again',
  parts: () =>
    aggregated({
      assigner: sessionAssigner<Priced>(({ id }) => 100 + (id % 5) * 60, 'event'),
      allowedLatenessMs: 200,
    }),
});

describeOperator({
  ...common,
  name: 'aggregates of sliding windows by a trigger that purges',
  parts: () => {
    const assigner = alignedAssigner({ sizeMs: 900, slideMs: 300, offsetMs: 100 }, 'event');
    return aggregated({ assigner, trigger: purgingTrigger(countTrigger(2)) });
  },
});

describeOperator({
  ...common,
  name: 'aggregates of windows with an evictor and a trigger by both clocks',
  parts: () => {
    const assigner = alignedAssigner({ sizeMs: 900, slideMs: 900, offsetMs: 100 }, 'event');
    const trigger = processingTimeoutTrigger(assigner.defaultTrigger(), 10_000);
    return aggregated({ assigner, evictor: timeEvictor(500), trigger });
  },
});

describeOperator({
  ...common,
  name: 'windows of values whose type becomes known while snapshots are under way',
  parts: () => ({
    operators: line(
      op.map(({ id, user }: Row) => ({ user, price: id < 25 ? null : id, text: null })),
      op.map((row: { price: number | null }) =>
        row.price !== null && row.price > 40 ? { ...row, text: `at ${row.price}` } : row,
      ),
      op.window(
        ['user'],
        { least: { fn: 'min', of: col('price') }, most: { fn: 'max', of: col('text') } },
        { sizeMs: 700 },
      ),
    ),
  }),
});
