import { describe, expect, it } from 'vitest';
import {
  STEP_DONE,
  STEP_OUT_OF_BUDGET,
  STEP_OUT_OF_OUTPUT,
} from '../../../src/operator/contract.js';
import { encodeFrame, frameBytes } from '../../../src/record/frame-codec.js';
import {
  FRAME_DATA,
  FRAME_END_OF_DATA,
  FRAME_FINISHED,
  FRAME_WATERMARK,
} from '../../../src/ring/contract.js';
import { silentWaker } from '../../../src/ring/parker.js';
import { createRing } from '../../../src/ring/make-ring.js';
import { openRingReader, openRingWriter } from '../../../src/ring/spsc-ring.js';
import { InputGate } from '../../../src/runtime/input-gate.js';
import { QueueLimit } from '../../../src/runtime/queue-limit.js';
import { ExchangePort } from '../../../src/runtime/exchange-port.js';
import { RingReceiver } from '../../../src/runtime/frame-receiver.js';
import { RingSender } from '../../../src/runtime/frame-sender.js';
import {
  SUBTASK_BLOCKED,
  SUBTASK_FINISHED,
  SUBTASK_IDLE,
  SUBTASK_PROGRESS,
  type Subtask,
} from '../../../src/runtime/subtask.js';
import { watermarkOf, watermarkPayload } from '../../../src/runtime/time-sender.js';
import { WATERMARK_MAX } from '../../../src/time/watermark.js';
import { MemorySchemas } from '../operator/chain-harness.js';
import {
  builderOf,
  channelMetrics,
  ScriptedTask,
  StillClock,
  subtaskOf,
  taskMetrics,
} from './runtime-harness.js';

/** A subtask between two rings. */
function wire() {
  const bytes = 4096;
  const [before, behind] = [new SharedArrayBuffer(bytes), new SharedArrayBuffer(bytes)];
  for (const memory of [before, behind]) createRing(memory, 0, bytes);
  const clock = new StillClock();
  const schemas = new MemorySchemas();
  const input = openRingWriter(before, 0, bytes, silentWaker);
  const ring = openRingReader(before, 0, bytes, silentWaker);
  const gate = new InputGate([{ input: 0, receiver: new RingReceiver(ring, schemas) }]);
  const out = openRingWriter(behind, 0, bytes, silentWaker);
  const metrics = { edge: channelMetrics(1)[0], task: taskMetrics() };
  const port = new ExchangePort({
    senders: [new RingSender(out, metrics, new QueueLimit(out, clock, 1000))],
    broadcast: false,
    schemas,
    batchRows: 4,
  });
  const task = new ScriptedTask();
  const subtask = subtaskOf({ task, gate, ports: [port], clock });
  const reader = openRingReader(behind, 0, bytes, silentWaker);
  /** Watermarks and other frames that have come out since. */
  const out1 = (): (number | string)[] => {
    const seen: (number | string)[] = [];
    for (; reader.poll(); reader.release()) {
      const isTime = reader.kind === FRAME_WATERMARK;
      seen.push(
        isTime ? watermarkOf(reader.memory.subarray(reader.offset)) : `frame ${reader.kind}`,
      );
    }
    return seen;
  };
  return { clock, gate, input, schemas, task, subtask, sent: out1 };
}

/** The same, with what writes into the input. */
function wired() {
  const { input, ...wire1 } = wire();
  const builder = builderOf([{ n: 1 }]);
  const batch = builder.take();
  const { schema } = batch;
  const write = {
    watermark: (ms: number) => input.tryWriteControl(FRAME_WATERMARK, watermarkPayload(ms)),
    row: () => {
      wire1.schemas.propose(schema);
      const bytesMax = frameBytes(batch);
      const bytes = encodeFrame(batch, input.memory, input.claim(bytesMax));
      input.commit(FRAME_DATA, bytes);
    },
    end: () => {
      input.tryWriteControl(FRAME_END_OF_DATA, Uint8Array.of(1));
      input.tryWriteControl(FRAME_FINISHED, new Uint8Array(0));
    },
  };
  return { ...wire1, write };
}

/** What a task was told of rows and times. */
function told(task: ScriptedTask): readonly string[] {
  return task.calls.filter((call) => call !== 'flush' && !call.startsWith('input'));
}

function stepUntil(subtask: Subtask, isSo: () => boolean): boolean {
  for (let steps = 0; steps < 50 && !isSo(); steps++) subtask.step();
  return isSo();
}

function stepUntilIdle(subtask: Subtask): number {
  for (let steps = 0; steps < 50; steps++) {
    if (subtask.step() !== SUBTASK_PROGRESS) return subtask.status;
  }
  throw new Error('The subtask goes on for ever.');
}

describe('time in a subtask', () => {
  it('fires what a watermark made due before it hands the watermark on', () => {
    const { input, task, subtask, sent } = wire();
    input.tryWriteControl(FRAME_WATERMARK, watermarkPayload(70));
    task.advances = [STEP_OUT_OF_BUDGET, STEP_OUT_OF_OUTPUT, STEP_DONE];
    task.watermarks = [69];
    expect([subtask.step(), subtask.step()]).toEqual([SUBTASK_PROGRESS, SUBTASK_PROGRESS]);
    expect([subtask.step(), sent()]).toEqual([SUBTASK_BLOCKED, []]);
    expect([subtask.step(), sent()]).toEqual([SUBTASK_IDLE, [69]]);
    expect(task.calls.filter((call) => call.startsWith('advance'))).toEqual(
      Array.from({ length: 3 }, () => 'advance 70'),
    );
  });

  it('ticks at intervals while its chain makes watermarks, also when input is dry', () => {
    const { clock, task, subtask, sent } = wire();
    task.needsTicks = true;
    expect([stepUntilIdle(subtask), subtask.sleepMs]).toEqual([SUBTASK_IDLE, 200]);
    clock.nowMs = 150;
    expect([stepUntilIdle(subtask), subtask.sleepMs]).toEqual([SUBTASK_IDLE, 50]);
    clock.nowMs = 200;
    task.watermarks = [41];
    expect(subtask.sleepMs).toBe(0);
    expect([stepUntilIdle(subtask), sent(), subtask.sleepMs]).toEqual([SUBTASK_IDLE, [41], 200]);
    task.needsTicks = false;
    expect(subtask.sleepMs).toBe(Infinity);
  });

  it('does not wake for a tick while it has no room', () => {
    const { clock, task, subtask } = wire();
    task.needsTicks = true;
    task.advances = [STEP_OUT_OF_OUTPUT];
    clock.nowMs = 200;
    expect([subtask.step(), subtask.sleepMs]).toEqual([SUBTASK_BLOCKED, Infinity]);
  });

  it('fires timers of the wall clock when they are due, for one and the same time', () => {
    const { clock, task, subtask } = wire();
    task.nextProcessingTimer = 500;
    expect([stepUntilIdle(subtask), subtask.sleepMs]).toEqual([SUBTASK_IDLE, 500]);
    clock.nowMs = 510;
    task.advances = [STEP_OUT_OF_BUDGET, STEP_DONE];
    subtask.step();
    clock.nowMs = 600;
    stepUntilIdle(subtask);
    const calls = task.calls.filter((call) => call.startsWith('processing'));
    expect(calls).toEqual(['processing time 510', 'processing time 510']);
    expect(subtask.sleepMs).toBe(Infinity);
  });

  it('lets rows in between two slices of what is due, and takes the next watermark afterwards', () => {
    const { write, task, subtask, sent } = wired();
    task.isBetweenSlices = true;
    task.advances = [STEP_OUT_OF_BUDGET, STEP_OUT_OF_BUDGET, STEP_DONE];
    task.watermarks = [70];
    write.watermark(70);
    write.row();
    write.watermark(80);
    write.row();
    expect(stepUntil(subtask, () => task.calls.includes('advance 80'))).toBe(true);
    expect(told(task)).toEqual([
      'advance 70',
      'admits 0 at 70',
      'step 0 from 0',
      'advance 70',
      'admits 0 at 80',
      'step 0 from 0',
      'advance 70',
      'advance 80',
    ]);
    expect(sent()).toEqual([70]);
    expect(task.calls.indexOf('flush')).toBeGreaterThan(task.calls.indexOf('advance 80'));
  });

  it('keeps a row that is not let in until all that is due has been done', () => {
    const { write, task, subtask } = wired();
    task.isBetweenSlices = true;
    task.advances = [STEP_OUT_OF_BUDGET, STEP_OUT_OF_BUDGET, STEP_DONE];
    task.admissions = [false, false];
    write.watermark(70);
    write.row();
    write.watermark(80);
    expect(stepUntil(subtask, () => task.calls.includes('advance 80'))).toBe(true);
    expect(told(task)).toEqual([
      'advance 70',
      'refuses 0 at 70',
      'advance 70',
      'refuses 0 at 70',
      'advance 70',
      'step 0 from 0',
      'advance 80',
    ]);
  });

  it('does not end, and has not run dry, before all that is due has been done', () => {
    const { write, task, subtask, sent } = wired();
    task.isBetweenSlices = true;
    task.advances = [STEP_OUT_OF_BUDGET, STEP_OUT_OF_BUDGET, STEP_DONE];
    task.watermarks = [70];
    write.watermark(70);
    subtask.step();
    expect([subtask.step(), task.calls.includes('flush')]).toEqual([SUBTASK_PROGRESS, false]);
    write.end();
    expect(stepUntil(subtask, () => subtask.status === SUBTASK_FINISHED)).toBe(true);
    const due = Array.from({ length: 3 }, () => 'advance 70');
    expect(told(task)).toEqual([...due, `advance ${WATERMARK_MAX}`, 'endOfInput']);
    expect(sent()).toContain(70);
  });

  it('sends a watermark that a record brought before it goes on', () => {
    const { input, task, subtask, sent } = wire();
    task.isTimeDue = true;
    task.watermarks = [3];
    expect([subtask.step(), sent()]).toEqual([SUBTASK_IDLE, [3]]);
    input.tryWriteControl(FRAME_FINISHED, new Uint8Array(0));
    expect(task.isTimeDue).toBe(false);
  });

  it('ends time at the end of input, before what is held back, unless it was stopped', () => {
    for (const drain of [1, 0]) {
      const { input, task, subtask, sent } = wire();
      input.tryWriteControl(FRAME_END_OF_DATA, Uint8Array.of(drain));
      input.tryWriteControl(FRAME_FINISHED, new Uint8Array(0));
      task.watermarks = [WATERMARK_MAX];
      expect(stepUntilIdle(subtask)).toBe(SUBTASK_FINISHED);
      const ends = [`frame ${FRAME_END_OF_DATA}`, `frame ${FRAME_FINISHED}`];
      expect(sent()).toEqual(drain === 1 ? [WATERMARK_MAX, ...ends] : ends);
      const told = task.calls.filter((call) => call !== 'flush' && !call.startsWith('input'));
      expect(told).toEqual(drain === 1 ? [`advance ${WATERMARK_MAX}`, 'endOfInput'] : []);
    }
  });

  it('is not stopped in the middle of what is due', () => {
    const { task, clock } = wire();
    task.needsTicks = true;
    task.advances = [STEP_OUT_OF_BUDGET, STEP_DONE];
    const source = {
      poll: () => 1,
      flush: () => true,
      batch: null,
      bytesRead: 0,
      takeRowsPassed: () => 0,
      isWaiting: false,
    };
    const subtask = subtaskOf({ task, clock, source: source as never });
    clock.nowMs = 300;
    subtask.step();
    subtask.stop('stop');
    expect(stepUntilIdle(subtask)).toBe(SUBTASK_FINISHED);
    const advances = task.calls.filter((call) => call.startsWith('advance'));
    expect(advances).toHaveLength(2);
  });

  it('reads no more while it is ahead of its group, and does not count the time as idle', () => {
    const { task, clock } = wire();
    let polls = 0;
    const source = {
      poll: () => (polls++, 1),
      flush: () => true,
      batch: null,
      bytesRead: 0,
      takeRowsPassed: () => 0,
      isWaiting: false,
    };
    task.alignIntervalMs = 50;
    const subtask = subtaskOf({ task, clock, source: source as never });
    expect([subtask.step(), polls, subtask.sleepMs]).toEqual([SUBTASK_IDLE, 1, Infinity]);
    task.isAhead = true;
    expect([subtask.step(), polls, subtask.sleepMs]).toEqual([SUBTASK_IDLE, 1, 50]);
    clock.nowMs = 60;
    subtask.step();
    clock.nowMs = 100;
    task.isAhead = false;
    expect([subtask.step(), polls, subtask.sleepMs]).toEqual([SUBTASK_IDLE, 2, Infinity]);
    expect(task.heldBackMs).toBe(100);
  });
});
