import { describe, expect, it } from 'vitest';
import { located, SlotLoop, type SlotHost } from '../../../src/runtime/slot-loop.js';
import {
  SUBTASK_BLOCKED,
  SUBTASK_FINISHED,
  SUBTASK_IDLE,
  SUBTASK_PROGRESS,
  type Subtask,
  type SubtaskStatus,
} from '../../../src/runtime/subtask.js';

/** One step of a made-up subtask: how long it takes and what it meets. */
type Step = readonly [ms: number, status: SubtaskStatus];

class Times {
  busy = 0;
  blocked = 0;
  idle = 0;
  addBusyMs = (ms: number): void => void (this.busy += ms);
  addBackpressuredMs = (ms: number): void => void (this.blocked += ms);
  held = 0;
  heldBack = (ms: number): void => void (this.held += ms);
  addIdleMs = (ms: number): void => void (this.idle += ms);
  enter = (): void => {};
  leave = (): void => {};
  setLoopLagMs = (): void => {};
}

/** Parks that the loop asked for, in milliseconds. */
const parks: number[] = [];

async function timesOf(
  parkMs: number,
  scripts: readonly (readonly Step[])[],
  sleepMs = Infinity,
): Promise<Times[]> {
  parks.length = 0;
  let nowMs = 1000;
  const times = scripts.map(() => new Times());
  const subtasks = scripts.map((steps, index) => {
    let at = 0;
    const subtask = {
      parts: {
        metrics: times[index],
        task: { heldBack: times[index].heldBack },
        name: `task ${index}`,
        uid: `${index}`,
        index: 0,
      },
      sleepMs,
      status: SUBTASK_PROGRESS as SubtaskStatus,
      lastStepMs: 0,
      waitsForEvents: false,
      step(): SubtaskStatus {
        const [ms, status] = steps[at++] ?? [0, SUBTASK_FINISHED];
        nowMs += ms;
        subtask.status = status;
        return status;
      },
      tookMs: () => {},
      stop: () => {},
    };
    return subtask;
  });
  const parker = {
    announce: () => 0,
    withdraw: () => {},
    park: (_ticket: number, timeoutMs: number) => {
      parks.push(timeoutMs);
      nowMs += parkMs;
    },
  };
  const host = {
    clock: { epochMs: () => nowMs, monotonicMs: () => nowMs },
    blockingParker: parker,
    asyncParker: parker,
    yieldToEvents: () => Promise.resolve(),
    command: () => 0,
    finished: () => {},
    guard: () => {},
    shuffle: null,
    checkpoints: null,
    regions: null,
    taps: { isAsked: false, sleepMs: Infinity, hear: () => Promise.resolve(), tell: () => {} },
  };
  await new SlotLoop(subtasks as never as Subtask[], host as never as SlotHost).run();
  return times;
}

describe('the time of subtasks in a slot', () => {
  it('is busy while they work, blocked while another works that they wait for', async () => {
    const [source, slow] = await timesOf(0, [
      [
        [1, SUBTASK_PROGRESS],
        [1, SUBTASK_BLOCKED],
        [1, SUBTASK_BLOCKED],
        [1, SUBTASK_FINISHED],
      ],
      [
        [10, SUBTASK_PROGRESS],
        [10, SUBTASK_PROGRESS],
        [10, SUBTASK_PROGRESS],
        [10, SUBTASK_FINISHED],
      ],
    ]);
    expect(source).toMatchObject({ busy: 2, blocked: 22, held: 20, idle: 0 });
    expect(slow).toMatchObject({ busy: 40, blocked: 0, idle: 0 });
  });

  it('is idle or blocked while the slot is parked, by what they met before', async () => {
    const script = (status: SubtaskStatus): readonly Step[] => [
      [0, status],
      [0, status],
      [0, SUBTASK_FINISHED],
    ];
    const [waiting, blocked] = await timesOf(50, [script(SUBTASK_IDLE), script(SUBTASK_BLOCKED)]);
    expect(waiting).toMatchObject({ busy: 0, blocked: 0, idle: 50 });
    expect(blocked).toMatchObject({ busy: 0, blocked: 50, idle: 0 });
  });

  it('is slept through no longer than until something is due', async () => {
    const script: readonly Step[] = [
      [0, SUBTASK_IDLE],
      [0, SUBTASK_IDLE],
      [0, SUBTASK_FINISHED],
    ];
    await timesOf(50, [script], 120);
    expect(parks).toEqual([120]);
    await timesOf(50, [script]);
    expect(parks).toEqual([1000]);
    await timesOf(50, [script], 0);
    expect(parks).toEqual([]);
  });
});

it('tells a system without memory from an engine that contradicts itself', () => {
  const where = { operator: 'map', uid: 'map', subtask: 1 };
  const refused = (): unknown => {
    try {
      return new ArrayBuffer(2 ** 52);
    } catch (error) {
      return error;
    }
  };
  expect(located(refused(), where)).toMatchObject({ code: 'MEMORY_EXHAUSTED', where });
  expect(located(new RangeError('Offset is outside'), where)).toMatchObject({ code: 'ASSERTION' });
});
