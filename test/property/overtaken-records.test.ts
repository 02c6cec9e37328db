/** Records that a checkpoint had overtaken are given once and in their order, whoever receives them afterwards. */
import fc from 'fast-check';
import { collection, discard, job } from 'millrace';
import { describe, expect, it } from 'vitest';
import { inFlightName } from '../../src/checkpoint/in-flight-pieces.js';
import { NO_KEY_GROUP } from '../../src/checkpoint/contract.js';
import { planJob } from '../../src/graph/plan.js';
import type { PhysicalPlan, Vertex } from '../../src/graph/physical-plan.js';
import { decodeFrameAs } from '../../src/record/frame-codec.js';
import { encoded } from '../../src/runtime/frame-sender.js';
import {
  encodeInFlight,
  type InFlightFrame,
  type InputFrame,
} from '../../src/runtime/in-flight.js';
import { recoveredFrames } from '../../src/runtime/recovered-frames.js';
import { receiverUid } from '../../src/runtime/vertex-uids.js';
import { RestoredState } from '../../src/runtime/restored-state.js';
import { builderOf, recordsOf, StillClock } from '../unit/runtime/runtime-harness.js';

const MAX_PARALLELISM = 16;
const KEYS = 9;

interface Numbered {
  readonly key: number;
  readonly n: number;
  /** Makes another schema of some frames. */
  readonly late?: string;
}

type Ways = 'hash' | 'rebalance';

function planOf(parallelism: number, way: Ways): { plan: PhysicalPlan; vertex: Vertex } {
  const definition = job('overtaken', (flow) => {
    const records = flow.from(collection([{ key: 1, n: 1 }]), { uid: 'in', parallelism: 1 });
    const counted =
      way === 'hash'
        ? records.keyBy('key').process(() => ({ processElement() {} }), { uid: 'counts' })
        : records.rebalance().map((record) => record, { uid: 'counts' });
    counted.to(discard(), { uid: 'out' });
  });
  const plan = planJob(definition.build({}), {
    parallelism,
    maxParallelism: MAX_PARALLELISM,
    preAggregate: false,
  });
  const vertex = plan.vertices.find(({ operators }) =>
    operators.some(({ spec }) => spec.uid === 'counts'),
  );
  if (vertex === undefined) throw new Error('The plan has no such vertex.');
  return { plan, vertex };
}

/** What was under way: frames of receivers and of their senders, with rows that had been processed. */
interface Overtaken {
  readonly to: number;
  readonly stage: 'received' | 'sent';
  readonly frames: readonly { readonly keys: readonly number[]; readonly processed: number }[];
}

const frame = fc
  .tuple(fc.array(fc.nat(KEYS - 1), { minLength: 1, maxLength: 9 }), fc.nat(9))
  .map(([keys, processed]) => ({ keys, processed: processed % keys.length }));

function overtaken(parallelism: number): fc.Arbitrary<readonly Overtaken[]> {
  const places = Array.from({ length: parallelism }, (_, to) =>
    fc.tuple(
      ...(['received', 'sent'] as const).map((stage) =>
        fc.array(frame, { maxLength: 4 }).map((frames): Overtaken => ({ to, stage, frames })),
      ),
    ),
  );
  return fc.tuple(...places).map((all) => all.flat());
}

/** The state of a checkpoint, and the records in it by the subtask that was to have them, in order. */
function stateOf(given: readonly Overtaken[], parallelism: number, uid: string) {
  const counts = new Map<number, number>();
  const records: Numbered[][] = Array.from({ length: parallelism }, () => []);
  const pieces = given.flatMap(({ to, stage, frames }) => {
    if (frames.length === 0) return [];
    const made = frames.map(({ keys, processed }, index): InFlightFrame => {
      const rows = keys.map((local): Numbered => {
        // A key goes to one subtask, so that it has one order.
        const key = local * parallelism + to;
        const n = (counts.get(key) ?? 0) + 1;
        counts.set(key, n);
        return index % 2 === 0 ? { key, n } : { key, n, late: 'x' };
      });
      records[to].push(...rows.slice(processed));
      const batch = builderOf(rows).take();
      return { schema: batch.schema, frame: encoded(batch), first: processed };
    });
    return [
      {
        uid,
        name: inFlightName({ input: 0, to, stage }),
        keyGroup: NO_KEY_GROUP,
        isChanges: false,
        subtask: to,
        at: { bytes: encodeInFlight(made) },
      },
    ];
  });
  const operators = [
    { uid, name: uid, parallelism, maxParallelism: MAX_PARALLELISM, isFinished: false },
  ];
  const state = new RestoredState({ pieces, operators }, ({ at }) =>
    'bytes' in at ? at.bytes : new Uint8Array(),
  );
  return { state, records };
}

function rowsOf(frames: readonly InputFrame[]): readonly Numbered[] {
  return frames.flatMap(
    ({ schema, frame: bytes, first }) =>
      recordsOf(decodeFrameAs(schema, bytes), first) as readonly Numbered[],
  );
}

const sizes = fc.constantFrom(1, 2, 3, 5);

describe.each(['hash', 'rebalance'] as const)('records that were overtaken by %s', (way) => {
  it('come once and in order at any parallelism', async () => {
    const cases = fc
      .tuple(sizes, sizes)
      .chain(([before, after]) =>
        fc.tuple(fc.constant(before), fc.constant(after), overtaken(before)),
      );
    await fc.assert(
      fc.asyncProperty(cases, async ([before, after, given]) => {
        const { plan, vertex } = planOf(after, way);
        const uid = receiverUid(vertex);
        const { state, records } = stateOf(given, before, uid);
        const received: (readonly Numbered[])[] = [];
        for (let subtask = 0; subtask < after; subtask++) {
          const receiver = { plan, vertex, subtask, clock: new StillClock() };
          received.push(rowsOf(await recoveredFrames(state, uid, receiver)));
        }
        // At the parallelism that it had, everything goes where it was on its way to.
        if (before === after) {
          expect(received).toEqual(records);
          return;
        }
        const all = received.flat();
        const inOrder = (rows: readonly Numbered[]) =>
          rows.toSorted((a, b) => a.key - b.key || a.n - b.n);
        expect(inOrder(all)).toEqual(inOrder(records.flat()));
        if (way === 'rebalance') return;
        for (const rows of received) {
          const last = new Map<number, number>();
          for (const { key, n } of rows) {
            expect(n).toBeGreaterThan(last.get(key) ?? 0);
            last.set(key, n);
          }
        }
        // A key has one subtask.
        const homes = received.map((rows) => new Set(rows.map(({ key }) => key)));
        const distinct = homes.reduce((sum, home) => sum + home.size, 0);
        expect(distinct).toBe(new Set(all.map(({ key }) => key)).size);
      }),
      { numRuns: 30 },
    );
  });
});
