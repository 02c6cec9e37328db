/**
 * Timers of process functions against a small model: random records that register and delete timers of both clocks,
 * watermarks, steps of the wall clock, and snapshots from which other numbers of subtasks go on.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keyGroupOf, keyGroupRange } from '../../src/record/key-group.js';
import { hashNumber } from '../../src/record/key-hash.js';
import { WATERMARK_MAX } from '../../src/time/watermark.js';
import {
  batchOf,
  type ChainUnderTest,
  chainOf,
  line,
  MemorySnapshot,
  op,
  untilDone,
} from '../unit/operator/chain-harness.js';

const GROUPS = 128;
const ACTS = [
  'registerEventTime',
  'deleteEventTime',
  'registerProcessingTime',
  'deleteProcessingTime',
] as const;

interface Row {
  readonly key: number;
  readonly act: (typeof ACTS)[number];
  readonly time: number;
}

interface Fired {
  readonly key: number;
  readonly time: number;
  readonly domain: 'event' | 'processing';
  readonly rows: number;
}

type Deed =
  | { readonly rows: readonly Row[] }
  | { readonly watermarkBy: number }
  | { readonly clockBy: number }
  | { readonly restoreInto: number };

/** Timers that a timer registers: one that may be due at once, one that is over. */
function following(time: number): readonly number[] {
  return [...(time % 4 === 0 ? [time + 2] : []), ...(time % 7 === 0 ? [time - 1] : [])];
}

/** The model: timers are a set, looked through for the least that is due. */
class Model {
  readonly fired: Fired[] = [];
  readonly #timers = new Map<string, { key: number; time: number; domain: Fired['domain'] }>();
  readonly #rows = new Map<number, number>();

  row({ key, act, time }: Row): void {
    this.#rows.set(key, (this.#rows.get(key) ?? 0) + 1);
    const domain = act.endsWith('EventTime') ? 'event' : 'processing';
    if (act.startsWith('delete')) this.#timers.delete(`${key} ${domain} ${time}`);
    else this.#register(key, domain, time);
  }

  fire(domain: Fired['domain'], upTo: number): void {
    for (;;) {
      const due = [...this.#timers].filter(([, t]) => t.domain === domain && t.time <= upTo);
      const [first] = due.sort(([, a], [, b]) => a.time - b.time);
      if (first === undefined) return;
      const [id, { key, time }] = first;
      this.#timers.delete(id);
      this.fired.push({ key, time, domain, rows: this.#rows.get(key) ?? 0 });
      for (const next of following(time)) this.#register(key, domain, next);
    }
  }

  #register(key: number, domain: Fired['domain'], time: number): void {
    this.#timers.set(`${key} ${domain} ${time}`, { key, time, domain });
  }
}

const operators = () =>
  line(
    op.process<Row, Fired>(['key'], (context) => {
      const rows = context.state.value<number>({ name: 'rows' });
      return {
        processElement({ act, time }, { timers }) {
          rows.update((rows.value() ?? 0) + 1);
          timers[act](time);
        },
        onTimer(time, { key, timeDomain, timers, collect }) {
          const { key: own } = key as { key: number };
          collect({ key: own, time, domain: timeDomain, rows: rows.value() ?? 0 });
          for (const next of following(time)) {
            if (timeDomain === 'event') timers.registerEventTime(next);
            else timers.registerProcessingTime(next);
          }
        },
      };
    }),
  );

/** Subtasks that go on from what others left. */
class Subtasks {
  tasks: readonly ChainUnderTest[];
  readonly fired: Fired[] = [];
  nowMs = 0;
  readonly #budget: number;

  constructor(parallelism: number, budget: number) {
    this.#budget = budget;
    this.tasks = this.#make(parallelism);
  }

  #make(parallelism: number): readonly ChainUnderTest[] {
    const clock = { epochMs: () => this.nowMs, monotonicMs: () => this.nowMs };
    return Array.from({ length: parallelism }, (_, subtask) =>
      chainOf({ operators: operators(), clock, subtask, parallelism, capacity: 4 }),
    );
  }

  rows(rows: readonly Row[]): void {
    this.tasks.forEach(({ task }, subtask) => {
      const own = rows.filter(({ key }) => this.#subtaskOf(key) === subtask);
      if (own.length === 0) return;
      const batch = batchOf(own, { times: own.map(() => 0) });
      untilDone((cursor) => task.step(0, batch, cursor, this.#budget));
    });
  }

  #subtaskOf(key: number): number {
    const group = keyGroupOf(hashNumber(key), GROUPS);
    return this.tasks.findIndex((_, subtask) => {
      const { start, end } = keyGroupRange(subtask, this.tasks.length, GROUPS);
      return group >= start && group < end;
    });
  }

  advance(watermarkMs: number): void {
    for (const { task } of this.tasks) {
      untilDone((cursor) => task.advance(watermarkMs, cursor, this.#budget));
    }
  }

  advanceProcessingTime(): void {
    for (const { task } of this.tasks) {
      const isDue = task.nextProcessingTimer <= this.nowMs;
      this.#take();
      const before = this.fired.length;
      untilDone((cursor) => task.advanceProcessingTime(this.nowMs, cursor, this.#budget));
      this.#take();
      expect(this.fired.length > before).toBe(isDue);
    }
  }

  end(): void {
    for (const { task } of this.tasks) {
      untilDone((cursor) => task.endOfInput(cursor, this.#budget));
    }
    this.#close();
  }

  restoreInto(parallelism: number): void {
    const snapshot = new MemorySnapshot();
    for (const { task } of this.tasks) {
      untilDone((cursor) => task.prepareBarrier(cursor, this.#budget));
      task.snapshot(snapshot);
    }
    this.#close();
    this.tasks = this.#make(parallelism);
    this.tasks.forEach(({ task }, subtask) => {
      const { start, end } = keyGroupRange(subtask, parallelism, GROUPS);
      const own = new MemorySnapshot();
      const pieces = snapshot.pieces.filter(
        ({ keyGroup }) => keyGroup < 0 || (keyGroup >= start && keyGroup < end),
      );
      own.pieces.push(...pieces);
      task.restore(own);
    });
  }

  #close(): void {
    this.#take();
    for (const { task } of this.tasks) task.close();
  }

  #take(): void {
    for (const { task, ports } of this.tasks) {
      while (!task.flush());
      this.fired.push(...ports[0].left.splice(0).map(({ record }) => record as Fired));
    }
  }
}

const row = fc.record({
  key: fc.integer({ min: 0, max: 4 }),
  act: fc.constantFrom(...ACTS),
  time: fc.integer({ min: -10, max: 60 }),
});
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ rows: fc.array(row, { minLength: 1, maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ watermarkBy: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ clockBy: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ restoreInto: fc.integer({ min: 1, max: 3 }) }) },
);

/** Timers of one key fire in a certain order, those of several in any. */
const byKey = (fired: readonly Fired[]) => [...fired].sort((a, b) => a.key - b.key);

it('fires timers as the model does, whatever the parallelism, and across snapshots', () => {
  fc.assert(
    fc.property(
      fc.array(deed, { maxLength: 25 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(1, 3, 1000),
      (deeds, parallelism, budget) => {
        const model = new Model();
        const subtasks = new Subtasks(parallelism, budget);
        let watermarkMs = -5;
        for (const each of deeds) {
          if ('rows' in each) {
            each.rows.forEach((one) => {
              model.row(one);
            });
            subtasks.rows(each.rows);
          } else if ('watermarkBy' in each) {
            watermarkMs += each.watermarkBy;
            model.fire('event', watermarkMs);
            subtasks.advance(watermarkMs);
          } else if ('clockBy' in each) {
            subtasks.nowMs += each.clockBy;
            // A timer fires when its millisecond is over.
            model.fire('processing', subtasks.nowMs - 1);
            subtasks.advanceProcessingTime();
          } else {
            subtasks.restoreInto(each.restoreInto);
          }
        }
        model.fire('event', WATERMARK_MAX);
        subtasks.advance(WATERMARK_MAX);
        subtasks.end();
        expect(byKey(subtasks.fired)).toEqual(byKey(model.fired));
      },
    ),
    { numRuns: 150 },
  );
});
