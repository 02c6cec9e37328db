import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  POLL_WAIT,
  type PollResult,
  type SourceReader,
} from '../../../src/connector/contract.js';
import { STEP_DONE, STEP_OUT_OF_OUTPUT } from '../../../src/operator/contract.js';
import type { Parker } from '../../../src/ring/contract.js';
import { AsyncParker, BlockingParker, PARKER_BYTES, wakerFor } from '../../../src/ring/parker.js';
import {
  COMMAND_CANCEL,
  COMMAND_RUN,
  COMMAND_STOP,
  type SlotHost,
  SlotLoop,
} from '../../../src/runtime/slot-loop.js';
import { SourceHead } from '../../../src/runtime/source-head.js';
import type { Subtask } from '../../../src/runtime/subtask.js';
import {
  builderOf,
  ScriptedTask,
  ScriptedWriter,
  sinkPortOf,
  StillClock,
  subtaskOf,
} from './runtime-harness.js';

/** A parker that writes down what happens and may run something in the instants that matter. */
class WatchedParker implements Parker {
  readonly log: string[] = [];
  onAnnounce: () => void = () => {};
  readonly #parker: Parker;
  readonly #name: string;

  constructor(name: string, parker: Parker) {
    this.#name = name;
    this.#parker = parker;
  }

  announce(): number {
    this.log.push('announce');
    const ticket = this.#parker.announce();
    this.onAnnounce();
    return ticket;
  }

  withdraw(): void {
    this.log.push('withdraw');
    this.#parker.withdraw();
  }

  park(ticket: number, timeoutMs: number): void | Promise<void> {
    this.log.push(`park ${this.#name}`);
    return this.#parker.park(ticket, timeoutMs);
  }

  wake(): void {
    this.#parker.wake();
  }
}

/** A reader that has a batch each time it was made ready. */
class ReadyReader implements SourceReader {
  readonly batch = builderOf([{ v: 1 }]).take();
  readonly bytesRead = 0;
  polls = 0;
  batches = 0;
  ready = 0;
  ended = false;
  onPoll: (polls: number) => void = () => {};

  addSplit(): void {}

  poll(): PollResult {
    this.onPoll(++this.polls);
    if (this.ready > this.batches) {
      this.batches++;
      return POLL_BATCH;
    }
    return this.ended ? POLL_NEED_SPLIT : POLL_WAIT;
  }

  positions(): readonly never[] {
    return [];
  }

  close(): void {}
}

interface Bench {
  readonly word: Int32Array;
  readonly async: WatchedParker;
  readonly blocking: WatchedParker;
  readonly host: SlotHost;
  readonly finished: Subtask[];
  command: number;
}

function benchOf(mayBlock: boolean): Bench {
  const word = new Int32Array(new SharedArrayBuffer(PARKER_BYTES), 0, 1);
  const async = new WatchedParker('async', new AsyncParker(word));
  const blocking = new WatchedParker('blocking', new BlockingParker(word));
  const finished: Subtask[] = [];
  const bench: Bench = {
    word,
    async,
    blocking,
    finished,
    command: COMMAND_RUN,
    host: {
      clock: new StillClock(),
      blockingParker: mayBlock ? blocking : null,
      asyncParker: async,
      yieldToEvents: () => Promise.resolve(),
      command: () => bench.command,
      finished: (subtask) => finished.push(subtask),
      guard: () => {},
      shuffle: null,
    },
  };
  return bench;
}

const plan = { schema: null, splits: [], bytes: null, rows: null, data: null };

function sourceOf(reader: SourceReader): SourceHead {
  return new SourceHead(reader, plan, new Int32Array(1), null);
}

describe('SlotLoop', () => {
  it('does not park when a source becomes ready between announcing and the last look', async () => {
    const bench = benchOf(false);
    const reader = new ReadyReader();
    let announcements = 0;
    bench.async.onAnnounce = () => {
      announcements++;
      reader.ready++;
      if (announcements === 3) reader.ended = true;
    };
    const loop = new SlotLoop([subtaskOf({ source: sourceOf(reader) })], bench.host);
    expect(await loop.run()).toBe('finished');
    expect(reader.batches).toBe(3);
    expect(bench.async.log.filter((entry) => entry.startsWith('park'))).toEqual([]);
  });

  it('does not sleep when a source becomes ready in the last look itself', async () => {
    const bench = benchOf(false);
    const reader = new ReadyReader();
    const waker = wakerFor(bench.word);
    // The poll after an announcement still finds nothing, and its callback comes before the slot is asleep.
    let announced = false;
    bench.async.onAnnounce = () => {
      announced = true;
    };
    reader.onPoll = () => {
      if (!announced) return;
      announced = false;
      queueMicrotask(() => {
        reader.ready++;
        reader.ended = reader.ready === 3;
        waker.wake();
      });
    };
    const startMs = performance.now();
    const loop = new SlotLoop([subtaskOf({ source: sourceOf(reader) })], bench.host);
    await loop.run();
    expect(reader.batches).toBe(3);
    expect(performance.now() - startMs).toBeLessThan(900);
  });

  it('leaves the thread to its events when a sink begins to wait in the last look', async () => {
    const bench = benchOf(true);
    const writer = new ScriptedWriter();
    const port = sinkPortOf(writer, { v: 1 });
    const task = new ScriptedTask();
    const subtask = subtaskOf({
      task,
      source: sourceOf(Object.assign(new ReadyReader(), { ready: 1, ended: true })),
      sinks: [{ sinkIndex: 0, port, writer }],
    });
    // The first look finds a full ring, the last one a sink that refuses: nothing was consumed in either.
    task.steps = [
      { rows: 0, result: STEP_OUT_OF_OUTPUT },
      { rows: 0, result: STEP_OUT_OF_OUTPUT },
      { rows: 1, result: STEP_DONE },
    ];
    let steps = 0;
    task.onStep = () => {
      steps++;
      port.isWaiting = steps === 2;
      if (steps === 2) setTimeout(() => wakerFor(bench.word).wake(), 5);
    };
    await new SlotLoop([subtask], bench.host).run();
    expect([...bench.async.log, ...bench.blocking.log]).toContain('park async');
    expect(bench.blocking.log).not.toContain('park blocking');
  });

  it('steps nothing more once it is canceled, and names nothing as finished', async () => {
    const bench = benchOf(false);
    const task = new ScriptedTask();
    const reader = Object.assign(new ReadyReader(), { ready: 1000 });
    task.onStep = () => {
      if (task.calls.length === 3) bench.command = COMMAND_CANCEL;
    };
    const loop = new SlotLoop([subtaskOf({ task, source: sourceOf(reader) })], bench.host);
    expect(await loop.run()).toBe('canceled');
    expect(task.calls).toEqual(['step 0 from 0', 'step 0 from 0', 'step 0 from 0']);
    expect(bench.finished).toEqual([]);
  });

  it('does not park on a command that came while it announced', async () => {
    for (const command of [COMMAND_CANCEL, COMMAND_STOP]) {
      const bench = benchOf(false);
      bench.async.onAnnounce = () => {
        bench.command = command;
      };
      const subtask = subtaskOf({ source: sourceOf(new ReadyReader()) });
      const outcome = await new SlotLoop([subtask], bench.host).run();
      expect(outcome).toBe(command === COMMAND_CANCEL ? 'canceled' : 'finished');
      expect(bench.async.log).toEqual(['announce', 'withdraw']);
    }
  });

  it('ends at once without subtasks', async () => {
    expect(await new SlotLoop([], benchOf(true).host).run()).toBe('finished');
  });

  it('places what a subtask throws', async () => {
    const errors = [new MillraceError('NUMBER_INEXACT', 'a sum'), new TypeError('a defect')];
    const seen: MillraceError[] = [];
    for (const error of errors) {
      const task = new ScriptedTask();
      task.onStep = () => {
        throw error;
      };
      const source = sourceOf(Object.assign(new ReadyReader(), { ready: 1 }));
      const loop = new SlotLoop([subtaskOf({ task, source, index: 3 })], benchOf(false).host);
      seen.push(await loop.run().then(() => Promise.reject(), (thrown) => thrown));
    }
    expect(seen.map(({ code }) => code)).toEqual(['NUMBER_INEXACT', 'ASSERTION']);
    for (const { where } of seen) {
      expect(where).toMatchObject({ operator: 'tested', uid: 'tested-uid', subtask: 3 });
    }
    expect(seen[1].cause).toBe(errors[1]);
  });
});
