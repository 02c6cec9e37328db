import { MessageChannel, type MessagePort } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../../src/base/function-log.js';
import { MillraceError, toWire } from '../../../src/base/errors.js';
import { metricsBytes } from '../../../src/metrics/metrics-layout.js';
import {
  COMMAND_CANCEL,
  controlBytes,
  ControlMemory,
} from '../../../src/runtime/control-layout.js';
import { Coordination } from '../../../src/runtime/coordination.js';
import type { CoordinatorEvent } from '../../../src/runtime/coordinator.js';
import type { CoordinationStart, HostMessage, SlotMessage } from '../../../src/runtime/messages.js';
import { StillClock } from './runtime-harness.js';

const SLOTS = [0, 1];
const failure = toWire(new MillraceError('USER_FUNCTION_FAILED', 'a bad record'));

/** What happens to a run, in one order of many: something a slot does, or the caller. */
type Step =
  | { readonly does: 'post'; readonly slot: number; readonly event: CoordinatorEvent }
  | { readonly does: 'close' | 'exit' | 'log'; readonly slot: number }
  | { readonly does: 'cancel' };

/** The life of a slot. */
const lives: Record<string, (slot: number) => readonly Step[]> = {
  finishes: (slot) => [
    { does: 'post', slot, event: { kind: 'slotReady', slot } },
    { does: 'log', slot },
    { does: 'post', slot, event: finished(slot) },
    { does: 'post', slot, event: { kind: 'slotEnded', slot } },
    { does: 'close', slot },
    { does: 'exit', slot },
  ],
  fails: (slot) => [
    { does: 'post', slot, event: { kind: 'slotReady', slot } },
    { does: 'post', slot, event: { kind: 'slotFailed', slot, error: failure } },
    { does: 'close', slot },
    { does: 'exit', slot },
  ],
  vanishes: (slot) => [
    { does: 'post', slot, event: { kind: 'slotReady', slot } },
    { does: 'exit', slot },
    { does: 'close', slot },
  ],
};

function commitOf(slot: number) {
  return { uid: 'sink', committables: [`part-${slot}`] };
}

function lineOf(slot: number): LogLine {
  const place = { operator: 'sum', uid: 'sum', subtask: slot };
  return { ...place, level: 'info', atMs: 0, message: '', fields: null, dropped: 0 };
}

function finished(slot: number): CoordinatorEvent {
  const commits = [commitOf(slot)];
  const snapshot = {
    vertex: 1,
    subtask: slot,
    source: null,
    commits,
  };
  return { kind: 'subtaskFinished', slot, checkpoint: 0, snapshot };
}

class Bench {
  readonly told: HostMessage[] = [];
  readonly control = new SharedArrayBuffer(controlBytes(2, SLOTS.length));
  readonly #slotEnds: readonly MessagePort[];
  #coordination: Coordination;

  constructor() {
    const channels = SLOTS.map(() => new MessageChannel());
    this.#slotEnds = channels.map(({ port1 }) => port1);
    this.#coordination = this.#coordinate({
      slots: SLOTS,
      slotPorts: channels.map(({ port2 }) => port2),
      past: [],
      exits: [],
      control: this.control,
      metrics: new SharedArrayBuffer(metricsBytes(2, 0)),
      vertices: 2,
      workerSlots: SLOTS.length,
      regions: [],
      cancellationTimeoutMs: 1000,
      checkpointing: null,
      stallTimeoutMs: 1000,
      watched: [],
    });
  }

  #coordinate(start: CoordinationStart): Coordination {
    return new Coordination(start, new StillClock(), (message) => this.told.push(message));
  }

  /** As between threads: a copy of the data, and the ports transferred. */
  handOver(): void {
    const start = this.#coordination.handOver();
    const transfer = start.slotPorts.filter((port) => port !== null);
    this.#coordination = this.#coordinate(structuredClone(start, { transfer }));
  }

  take(step: Step): void {
    if (step.does === 'cancel') this.#coordination.send({ kind: 'cancel', reason: null });
    else if (step.does === 'exit') {
      this.#coordination.send({ kind: 'slotExited', slot: step.slot, error: null });
    } else if (step.does === 'close') this.#slotEnds[step.slot].close();
    else {
      const message: SlotMessage =
        step.does === 'post'
          ? { kind: 'event', event: step.event }
          : { kind: 'log', line: lineOf(step.slot) };
      this.#slotEnds[step.slot].postMessage(message);
    }
  }

  /** Until the run is complete and nothing more comes. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 400 && this.completions.length === 0; turn++) await loopTurn();
    await loopTurn();
    for (const port of this.#slotEnds) port.close();
  }

  get completions() {
    return this.told.flatMap((message) =>
      message.kind === 'action' && message.action.kind === 'complete' ? [message.action] : [],
    );
  }

  /** The slots whose lines have come. */
  get logs(): readonly number[] {
    return this.told.flatMap((message) => (message.kind === 'log' ? [message.line.subtask] : []));
  }
}

const loopTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Two lives mixed, each in its own order, with the points at which the loop turns and the run is handed over. */
const runs = fc
  .record({
    names: fc.tuple(fc.constantFrom(...Object.keys(lives)), fc.constantFrom(...Object.keys(lives))),
    picks: fc.array(fc.nat(1), { minLength: 12, maxLength: 12 }),
    cancelAt: fc.option(fc.nat(12), { freq: 4 }),
    turns: fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }),
  })
  .map(({ names, picks, cancelAt, turns }) => {
    const rest = names.map((name, slot) => [...lives[name](slot)]);
    const steps: Step[] = [];
    for (const pick of [...picks, ...picks]) {
      const step = rest[pick].shift() ?? rest[1 - pick].shift();
      if (step !== undefined) steps.push(step);
    }
    if (cancelAt !== null) steps.splice(cancelAt, 0, { does: 'cancel' });
    return { names, steps, turns, isCanceled: cancelAt !== null };
  });

describe('Coordination', () => {
  it('misses nothing and repeats nothing, wherever it is handed over', async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.nat(13), async ({ names, steps, turns, isCanceled }, handAt) => {
        const bench = new Bench();
        for (const [index, step] of steps.entries()) {
          if (index === handAt) bench.handOver();
          bench.take(step);
          if (turns[index]) await loopTurn();
        }
        if (handAt >= steps.length && bench.completions.length === 0) bench.handOver();
        await bench.settle();

        expect(bench.completions.length).toBe(1);
        const [{ state, error, commits }] = bench.completions;
        if (!isCanceled) {
          const finished = names.every((name) => name === 'finishes');
          expect(state).toBe(finished ? 'FINISHED' : 'FAILED');
          expect(error === null).toBe(finished);
        }
        const parts = commits.flatMap(({ committables }) => committables);
        expect(parts.toSorted()).toEqual(state === 'FINISHED' ? ['part-0', 'part-1'] : []);
        const states = bench.told.flatMap((message) =>
          message.kind === 'action' && message.action.kind === 'state'
            ? [message.action.state]
            : [],
        );
        expect(new Set(states).size).toBe(states.length);
        if (state === 'FINISHED') expect([...bench.logs].toSorted()).toEqual(SLOTS);
      }),
      { numRuns: 300 },
    );
  });

  it('cancels slots at once, before and after it is handed over', () => {
    for (const isHandedOver of [false, true]) {
      const bench = new Bench();
      if (isHandedOver) bench.handOver();
      bench.take({ does: 'cancel' });
      const control = new ControlMemory(bench.control, 2);
      for (const slot of SLOTS) expect(control.commandWord(slot)[0]).toBe(COMMAND_CANCEL);
      void bench.settle();
    }
  });
});
