/**
 * Drives the chains of all subtasks of an operator with two sides through one sequence of records and watermarks.
 * Callers: the property tests of joins.
 */
import type { OperatorSpec } from '../../src/operator/operator-spec.js';
import type { OpenProcess } from '../../src/operator/process-function.js';
import { keyGroupRange } from '../../src/record/key-group.js';
import { CurrentKey } from '../../src/state/key-context.js';
import { WATERMARK_MAX } from '../../src/time/watermark.js';
import {
  batchOf,
  chainOf,
  type Left,
  line,
  op,
  untilDone,
} from '../unit/operator/chain-harness.js';

export type Side = 0 | 1;

/** A record of a side, and the watermark that follows it. */
export interface Step<Row extends { readonly key: number; readonly at: number }> {
  readonly row: Row;
  readonly side: Side;
  readonly watermarkMs: number | null;
}

/** How the steps are driven through. */
export interface SidesDrive {
  readonly parallelism: number;
  readonly frameRows: number;
  readonly budgetRows: number;
  /** Side outputs of the operator. */
  readonly tags: readonly string[];
}

/** What leaves the operator, and each of its side outputs. */
export function driveSides<Row extends { readonly key: number; readonly at: number }>(
  steps: readonly Step<Row>[],
  operator: OpenProcess<unknown, unknown, unknown, unknown> | OperatorSpec,
  { parallelism, frameRows, budgetRows, tags }: SidesDrive,
): readonly (readonly Left[])[] {
  const spec =
    typeof operator === 'function' ? op.coProcess([['key'], ['key']], operator) : operator;
  const chains = Array.from({ length: parallelism }, (_, subtask) =>
    chainOf({
      operators: [...line(spec), ...tags.map((tag) => ({ spec: op.sideOutput(tag), input: 0 }))],
      outputs: [{ after: 0 }, ...tags.map((_tag, at) => ({ after: at + 1 }))],
      inputSides: [0, 1],
      subtask,
      parallelism,
      capacity: frameRows,
    }),
  );
  const key = new CurrentKey([{ kind: 'number' }], 128);
  const { schema } = batchOf(steps.map(({ row }) => row));
  // Frames of one subtask and side, which end where a watermark follows.
  let frame: Step<Row>[] = [];
  let to = 0;
  const send = (): void => {
    if (frame.length === 0) return;
    const rows = frame.map(({ row }) => row);
    const batch = batchOf(rows, { schema, times: rows.map(({ at }) => at) });
    const { side } = frame[0];
    untilDone((cursor) => chains[to].task.step(side, batch, cursor, budgetRows));
    frame = [];
  };
  for (const step of steps) {
    key.set([step.row.key]);
    const owner = chains.findIndex((_, subtask) => {
      const range = keyGroupRange(subtask, parallelism, 128);
      return key.keyGroup >= range.start && key.keyGroup < range.end;
    });
    const isOther = frame.length > 0 && (owner !== to || frame[0].side !== step.side);
    if (isOther || frame.length === frameRows) send();
    to = owner;
    frame.push(step);
    const { watermarkMs } = step;
    if (watermarkMs === null) continue;
    send();
    for (const { task } of chains) {
      untilDone((cursor) => task.advance(watermarkMs, cursor, budgetRows));
    }
  }
  send();
  for (const { task } of chains) {
    untilDone((cursor) => task.advance(WATERMARK_MAX, cursor, budgetRows));
    untilDone((cursor) => task.endOfInput(cursor, budgetRows));
    untilDone(() => (task.flush() ? 0 : 1));
    task.close();
  }
  return [0, ...tags.map((_tag, at) => at + 1)].map((port) =>
    chains.flatMap(({ ports }) => ports[port].left),
  );
}

/** All orders of some values. */
export function permutations<V>(values: readonly V[]): readonly (readonly V[])[] {
  if (values.length === 0) return [[]];
  return values.flatMap((one, at) =>
    permutations(values.filter((_, other) => other !== at)).map((rest) => [one, ...rest]),
  );
}
