import { describe, expect, it } from 'vitest';
import type { CheckpointTrigger } from '../../../src/checkpoint/contract.js';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  POLL_WAIT,
  type PollResult,
  type SourceReader,
  type Split,
  type SplitPosition,
} from '../../../src/connector/contract.js';
import {
  STEP_DONE,
  STEP_OUT_OF_BUDGET,
  STEP_OUT_OF_OUTPUT,
} from '../../../src/operator/contract.js';
import type { Batch } from '../../../src/record/batch.js';
import { FRAME_END_OF_DATA, FRAME_FINISHED } from '../../../src/ring/contract.js';
import { silentWaker } from '../../../src/ring/parker.js';
import { ExchangePort } from '../../../src/runtime/exchange-port.js';
import { LocalChannel } from '../../../src/runtime/local-channel.js';
import type { SourceHead } from '../../../src/runtime/source-head.js';
import {
  type FrozenSubtask,
  SubtaskBarrier,
  type SubtaskBarrierParts,
} from '../../../src/runtime/subtask-barrier.js';
import {
  SUBTASK_BLOCKED,
  SUBTASK_FINISHED,
  SUBTASK_IDLE,
  SUBTASK_PROGRESS,
  type Subtask,
} from '../../../src/runtime/subtask.js';
import { WATERMARK_MAX } from '../../../src/time/watermark.js';
import { MemorySchemas } from '../operator/chain-harness.js';
import {
  builderOf,
  channelMetrics,
  ScriptedTask,
  ScriptedWriter,
  StillClock,
  sinkPortOf,
  sourceHeadOf,
  subtaskOf,
  taskMetrics,
} from './runtime-harness.js';

/** A reader that answers from a list. */
class ScriptedReader implements SourceReader {
  batch: Batch | null = null;
  readonly bytesRead = 0;
  closed = 0;
  readonly #polls: (Batch | typeof POLL_WAIT)[];

  constructor(polls: (Batch | typeof POLL_WAIT)[]) {
    this.#polls = polls;
  }

  addSplit(split: Split): void {
    this.#split = split;
  }
  #split: Split | null = null;

  poll(): PollResult {
    if (this.#split === null) return POLL_NEED_SPLIT;
    const answer = this.#polls.shift();
    if (answer === undefined) return POLL_NEED_SPLIT;
    if (answer === POLL_WAIT) return POLL_WAIT;
    this.batch = answer;
    return POLL_BATCH;
  }

  positions(rows = this.batch?.rows ?? 0): readonly SplitPosition[] {
    return this.#split === null ? [] : [{ split: this.#split, position: rows }];
  }

  close(): void {
    this.closed++;
  }
}

function headOf(polls: (Batch | typeof POLL_WAIT)[]): SourceHead {
  return sourceHeadOf(new ScriptedReader(polls));
}

function barrierOf(
  parts: Pick<SubtaskBarrierParts, 'task' | 'source' | 'clock'> & Partial<SubtaskBarrierParts>,
  add: (frozen: FrozenSubtask) => void = () => {},
): SubtaskBarrier {
  return new SubtaskBarrier({
    vertexId: 0,
    index: 0,
    sinks: [],
    gate: null,
    ports: [],
    overtaking: null,
    collector: { isWriting: () => false, add, drop: () => {} },
    ...parts,
  });
}

function triggerOf(id: number, stop: CheckpointTrigger['stop']): CheckpointTrigger {
  return { id, timestampMs: 0, kind: 'checkpoint', stop, isFull: true, isShared: false };
}

const batch = (): Batch => builderOf([{ v: 1 }, { v: 2 }, { v: 3 }]).take();

function stepUntilFinished(subtask: Subtask, stepsMax = 20): number[] {
  const statuses: number[] = [];
  while (statuses.at(-1) !== SUBTASK_FINISHED && statuses.length < stepsMax) {
    statuses.push(subtask.step());
  }
  return statuses;
}

describe('Subtask', () => {
  it('takes a batch in as many steps as the task wants, then ends, flushes and finishes', () => {
    const task = new ScriptedTask();
    task.steps = [
      { rows: 1, result: STEP_OUT_OF_BUDGET },
      { rows: 0, result: STEP_OUT_OF_OUTPUT },
      { rows: 2, result: STEP_DONE },
    ];
    const subtask = subtaskOf({ task, source: headOf([batch()]) });
    expect(stepUntilFinished(subtask)).toEqual([
      SUBTASK_PROGRESS,
      SUBTASK_BLOCKED,
      SUBTASK_PROGRESS,
      SUBTASK_PROGRESS,
      SUBTASK_FINISHED,
    ]);
    expect(task.calls).toEqual([
      'step 0 from 0',
      'step 0 from 1',
      'step 0 from 1',
      `advance ${WATERMARK_MAX}`,
      'endOfInput',
      'flush',
    ]);
  });

  it('takes small batches in together, up to what a step may do', () => {
    const task = new ScriptedTask();
    const subtask = subtaskOf({ task, source: headOf([batch(), batch(), POLL_WAIT, batch()]) });
    expect([subtask.step(), task.calls.length]).toEqual([SUBTASK_PROGRESS, 3]);
    expect(task.calls).toEqual(['step 0 from 0', 'step 0 from 0', 'flush']);
    expect([subtask.step(), task.calls.length]).toEqual([SUBTASK_PROGRESS, 4]);
  });

  it('does as many rows in a step as take a few milliseconds', () => {
    const task = new ScriptedTask();
    const subtask = subtaskOf({ task, source: headOf([{ ...batch(), rows: 1e6 } as Batch]) });
    const rowsOf = (msPerRow: number): number => {
      const before = task.rows;
      subtask.step();
      subtask.tookMs((task.rows - before) * msPerRow);
      return task.rows - before;
    };
    expect([0, 0, 0, 0, 0].map(rowsOf)).toEqual([64, 256, 1024, 4096, 4096]);
    expect([1, 1, 50, 50].map(rowsOf)).toEqual([4096, 10, 10, 1]);
    expect([0.1, 0.1, 0.1, 0.1, 0.1].map(rowsOf)).toEqual([1, 4, 16, 64, 100]);
  });

  it('takes the barrier of a checkpoint in the middle of the batch of its source', () => {
    const reader = new ScriptedReader([batch()]);
    const [task, source, clock] = [new ScriptedTask(), sourceHeadOf(reader), new StillClock()];
    const frozen: FrozenSubtask[] = [];
    const barrier = barrierOf({ task, source, clock }, (one) => frozen.push(one));
    const subtask = subtaskOf({ task, source, clock, barrier });
    task.steps = [{ rows: 1, result: STEP_OUT_OF_BUDGET }];
    subtask.step();
    subtask.trigger(triggerOf(1, 'none'));
    task.steps = [{ rows: 1, result: STEP_OUT_OF_BUDGET }];
    subtask.step();
    expect(frozen.map((one) => one.source?.inHand)).toEqual([[{ split: 'split 0', position: 1 }]]);
    // The rows behind a savepoint with which the job stops are left to whoever goes on from it.
    subtask.trigger(triggerOf(2, 'suspend'));
    expect(stepUntilFinished(subtask).at(-1)).toBe(SUBTASK_FINISHED);
    expect(frozen.map((one) => one.source?.inHand[0]?.position)).toEqual([1, 2]);
    expect(task.calls.filter((call) => call.startsWith('step'))).toEqual([
      'step 0 from 0',
      'step 0 from 1',
    ]);
  });

  it('ends behind the batch in hand when a savepoint drains it', () => {
    const [task, source, clock] = [
      new ScriptedTask(),
      headOf([batch(), batch()]),
      new StillClock(),
    ];
    const frozen: FrozenSubtask[] = [];
    const barrier = barrierOf({ task, source, clock }, (one) => frozen.push(one));
    const subtask = subtaskOf({ task, source, clock, barrier });
    task.steps = [{ rows: 1, result: STEP_OUT_OF_BUDGET }];
    subtask.step();
    subtask.trigger(triggerOf(1, 'drain'));
    expect(stepUntilFinished(subtask).at(-1)).toBe(SUBTASK_FINISHED);
    expect([task.rows, frozen]).toEqual([3, []]);
  });

  it('flushes when its input has run dry, and waits for room to do so', () => {
    const task = new ScriptedTask();
    task.flushes = [false, true];
    const subtask = subtaskOf({ task, source: headOf([POLL_WAIT, POLL_WAIT, POLL_WAIT]) });
    expect([subtask.step(), subtask.step()]).toEqual([SUBTASK_BLOCKED, SUBTASK_IDLE]);
    expect(subtask.waitsForEvents).toBe(true);
  });

  it('puts nothing aside at its end, also when a checkpoint was about to overtake', () => {
    const metrics = { edge: channelMetrics(1)[0], task: taskMetrics() };
    const channel = new LocalChannel(metrics, silentWaker);
    const port = new ExchangePort({
      senders: [channel],
      broadcast: false,
      schemas: new MemorySchemas(),
      batchRows: 4,
      mayOvertake: true,
    });
    const [task, source, clock, ports] = [new ScriptedTask(), headOf([]), new StillClock(), [port]];
    const overtaking = { timeoutMs: 0, uid: 'own', outputs: [{ uid: 'next', input: 0 }] };
    const barrier = barrierOf({ task, source, ports, clock, overtaking });
    const subtask = subtaskOf({ task, source, ports, clock, barrier });
    barrier.putAside();
    const received: number[] = [];
    for (let turn = 0; turn < 10; turn++) {
      if (subtask.status !== SUBTASK_FINISHED) subtask.step();
      if (turn % 3 !== 2 || !channel.poll()) continue;
      received.push(channel.kind);
      channel.release();
    }
    expect(received).toEqual([FRAME_END_OF_DATA, FRAME_FINISHED]);
  });

  it('repeats each phase of the end until it has room', () => {
    const task = new ScriptedTask();
    task.ends = [STEP_OUT_OF_OUTPUT, STEP_OUT_OF_BUDGET, STEP_DONE];
    task.flushes = [false, true, true];
    const writer = new ScriptedWriter();
    writer.flushes = [false, true];
    writer.commits = [null, ['part']];
    const sinks = [{ sinkIndex: 0, port: sinkPortOf(writer, { v: 1 }), writer }];
    const subtask = subtaskOf({ task, source: headOf([]), sinks });
    expect(stepUntilFinished(subtask)).toEqual([
      SUBTASK_PROGRESS,
      SUBTASK_BLOCKED,
      SUBTASK_PROGRESS,
      SUBTASK_PROGRESS,
      SUBTASK_BLOCKED,
      SUBTASK_BLOCKED,
      SUBTASK_BLOCKED,
      SUBTASK_FINISHED,
    ]);
    expect(subtask.commits).toEqual([{ uid: 'sink-uid', committables: ['part'] }]);
  });

  it('prepares each of several sinks once, also when the second is not ready', () => {
    const writers = [new ScriptedWriter(), new ScriptedWriter()];
    writers[0].commits = [['first']];
    writers[1].commits = [null, null, ['second']];
    const sinks = writers.map((writer, sinkIndex) => ({
      sinkIndex,
      port: sinkPortOf(writer, { v: 1 }),
      writer,
    }));
    const subtask = subtaskOf({ source: headOf([]), sinks });
    stepUntilFinished(subtask);
    expect(subtask.commits).toEqual([
      { uid: 'sink-uid', committables: ['first'] },
      { uid: 'sink-uid', committables: ['second'] },
    ]);
  });

  it('stops after the batch in hand, and drops what is held back unless it drains', () => {
    for (const ending of ['stop', 'drain'] as const) {
      const task = new ScriptedTask();
      task.steps = [
        { rows: 1, result: STEP_OUT_OF_BUDGET },
        { rows: 2, result: STEP_DONE },
      ];
      const subtask = subtaskOf({ task, source: headOf([batch(), batch(), batch()]) });
      subtask.step();
      subtask.stop(ending);
      stepUntilFinished(subtask);
      expect(task.calls.filter((call) => call.startsWith('step'))).toEqual([
        'step 0 from 0',
        'step 0 from 1',
      ]);
      expect(task.calls.includes('endOfInput')).toBe(ending === 'drain');
    }
  });

  it('keeps its first ending when it is stopped again, or after its input has ended', () => {
    const task = new ScriptedTask();
    task.ends = [STEP_OUT_OF_OUTPUT];
    const subtask = subtaskOf({ task, source: headOf([]) });
    subtask.step();
    subtask.stop('stop');
    stepUntilFinished(subtask);
    expect(task.calls).toContain('endOfInput');
  });

  it('takes rows in although a tick is due at every look', () => {
    class HastyClock extends StillClock {
      override monotonicMs(): number {
        this.nowMs += 300;
        return this.nowMs;
      }
    }
    const task = new ScriptedTask();
    task.needsTicks = true;
    const source = headOf([batch(), batch()]);
    stepUntilFinished(subtaskOf({ task, source, clock: new HastyClock() }));
    const calls = task.calls.filter((call) => /^(step|advance -)/.test(call));
    expect(calls.filter((call) => call.startsWith('step'))).toHaveLength(2);
    expect(calls.filter((call) => call.startsWith('advance')).length).toBeGreaterThan(1);
  });

  it('leaves subtasks without a source to the end of their inputs', () => {
    const subtask = subtaskOf({});
    subtask.stop('stop');
    expect(subtask.step()).toBe(SUBTASK_IDLE);
  });

  it('closes everything although something throws, and throws that', () => {
    const task = new ScriptedTask();
    task.close = () => {
      throw new Error('the generator of a flatMap');
    };
    const reader = new ScriptedReader([]);
    const writer = new ScriptedWriter();
    const subtask = subtaskOf({
      task,
      source: sourceHeadOf(reader),
      sinks: [{ sinkIndex: 0, port: sinkPortOf(writer, { v: 1 }), writer }],
    });
    expect(() => subtask.close()).toThrow('the generator of a flatMap');
    expect([reader.closed, writer.closed]).toEqual([1, 1]);
  });
});
