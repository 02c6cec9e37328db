import { describe, expect, it } from 'vitest';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  POLL_WAIT,
  type PollResult,
  type SourceReader,
} from '../../../src/connector/contract.js';
import {
  STEP_DONE,
  STEP_OUT_OF_BUDGET,
  STEP_OUT_OF_OUTPUT,
} from '../../../src/operator/contract.js';
import type { Batch } from '../../../src/record/batch.js';
import type { SourceHead } from '../../../src/runtime/source-head.js';
import {
  SUBTASK_BLOCKED,
  SUBTASK_FINISHED,
  SUBTASK_IDLE,
  SUBTASK_PROGRESS,
  type Subtask,
} from '../../../src/runtime/subtask.js';
import { WATERMARK_MAX } from '../../../src/time/watermark.js';
import {
  builderOf,
  ScriptedTask,
  ScriptedWriter,
  StillClock,
  sinkPortOf,
  sourceHeadOf,
  subtaskOf,
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

  addSplit(): void {
    this.#hasSplit = true;
  }
  #hasSplit = false;

  poll(): PollResult {
    if (!this.#hasSplit) return POLL_NEED_SPLIT;
    const answer = this.#polls.shift();
    if (answer === undefined) return POLL_NEED_SPLIT;
    if (answer === POLL_WAIT) return POLL_WAIT;
    this.batch = answer;
    return POLL_BATCH;
  }

  positions(): readonly never[] {
    return [];
  }

  close(): void {
    this.closed++;
  }
}

function headOf(polls: (Batch | typeof POLL_WAIT)[]): SourceHead {
  return sourceHeadOf(new ScriptedReader(polls));
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

  it('flushes when its input has run dry, and waits for room to do so', () => {
    const task = new ScriptedTask();
    task.flushes = [false, true];
    const subtask = subtaskOf({ task, source: headOf([POLL_WAIT, POLL_WAIT, POLL_WAIT]) });
    expect([subtask.step(), subtask.step()]).toEqual([SUBTASK_BLOCKED, SUBTASK_IDLE]);
    expect(subtask.waitsForEvents).toBe(true);
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
