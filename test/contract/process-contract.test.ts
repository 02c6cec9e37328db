import { outputTag } from '../../src/operator/process-function.js';
import { line, op } from '../unit/operator/chain-harness.js';
import { describeOperator } from './operator-contract.js';

interface Row {
  readonly id: number;
  readonly user: string;
  readonly at: number;
}

const records: readonly Row[] = Array.from({ length: 40 }, (_, id) => ({
  id,
  user: ['ann', 'bob', 'zoë', '🦉'][(id * 7) % 4],
  at: 100 * id - ((id * 37) % 250),
}));
const times = records.map(({ at }) => at);
const watermarks = [
  { afterRecords: 3, watermarkMs: -50 },
  { afterRecords: 9, watermarkMs: 500 },
  { afterRecords: 10, watermarkMs: 900 },
  { afterRecords: 31, watermarkMs: 2500 },
];

describeOperator({
  name: 'process without a key',
  parts: () => ({
    operators: line(
      op.process<Row, unknown>(null, (context) => {
        const seen = context.operatorState.list<number>('seen');
        return {
          processElement(row, out) {
            seen.add(row.id);
            for (let copy = 0; copy < row.id % 4; copy++) {
              out.collect({ id: row.id, copy, time: out.timestamp });
            }
          },
          endOfInput: (out) => out.collect({ id: -1, copy: [...seen.get()].length, time: null }),
        };
      }),
    ),
  }),
  records,
  times,
});

describeOperator({
  name: 'process with state and timers of both kinds by key',
  parts: () => ({
    operators: line(
      op.process<Row, unknown>(['user'], (context) => {
        const sum = context.state.value<number>({ name: 'sum' });
        const ids = context.state.list<number>({ name: 'ids' });
        const byId = context.state.map<number, string>({ name: 'byId' });
        return {
          processElement(row, { timers, collect, timestamp }) {
            sum.update((sum.value() ?? 0) + row.id);
            ids.add(row.id);
            byId.put(row.id % 3, row.user);
            timers.registerEventTime((timestamp ?? 0) + 300);
            timers.registerEventTime(Math.ceil(row.at / 1000) * 1000);
            if (row.id % 5 === 0) timers.deleteEventTime((timestamp ?? 0) + 300);
            if (row.id % 11 === 0) collect({ key: row.user, time: -1, sum: 0, ids: [], map: [] });
          },
          onTimer(time, out) {
            if (time % 700 === 0) out.timers.registerEventTime(time + 1);
            out.collect({
              key: out.key,
              time,
              sum: sum.value(),
              ids: [...ids.get()],
              map: [...byId.keys()],
            });
            if (time > 2000) ids.clear();
          },
        };
      }),
    ),
  }),
  records,
  times,
  watermarks,
  isUnordered: true,
});

describeOperator({
  name: 'process with side outputs, and functions behind both',
  parts: () => {
    const odd = outputTag<Row>('odd');
    return {
      operators: [
        {
          spec: op.process<Row, Row>(['user'], () => ({
            processElement(row, out) {
              if (row.id % 2 === 1) out.output(odd, row);
              else out.collect(row);
              if (row.id % 7 === 0) out.output(odd, { ...row, id: -row.id });
            },
          })),
          input: -1,
        },
        { spec: op.sideOutput('odd'), input: 0 },
        { spec: op.map((row: Row) => ({ odd: row.id })), input: 1 },
        { spec: op.flatMap((row: Row) => [row, row]), input: 0 },
      ],
      outputs: [{ after: 2 }, { after: 3 }],
    };
  },
  records,
  times,
  watermarks,
});

describeOperator({
  name: 'process with values that are changed in place before they are put back',
  parts: () => ({
    operators: line(
      op.process<Row, unknown>(['user'], (context) => {
        const one = context.state.value<{ n: number; ids: number[] }>({ name: 'one' });
        const many = context.state.map<number, { ids: number[] }>({ name: 'many' });
        return {
          processElement(row, out) {
            const value = one.value() ?? { n: 0, ids: [] };
            value.n++;
            value.ids.push(row.id);
            one.update(value);
            const held = many.get(row.id % 5) ?? { ids: [] };
            held.ids.push(row.id);
            many.put(row.id % 5, held);
            if (row.id % 9 === 8) many.remove((row.id + 1) % 5);
            if (row.id % 13 === 12) one.clear();
            out.collect({ n: value.n, ids: [...value.ids], held: [...held.ids] });
          },
        };
      }),
    ),
  }),
  records,
  times,
});
