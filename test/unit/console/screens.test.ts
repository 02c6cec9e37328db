/** The pure parts of the screens: groups of exceptions, boxes of checkpoints, rows in sight, forms. */
import { describe, expect, it } from 'vitest';
import { timelineBars } from '../../../src/console/checkpoint-timeline.js';
import { groupedByCause } from '../../../src/console/exception-cause.js';
import { isPossible, JOB_ACTIONS } from '../../../src/console/job-action.js';
import { sparkPoints } from '../../../src/console/sparkline.js';
import {
  isRestore,
  NO_PROGRAM,
  programOf,
  runCall,
  runCommandLine,
} from '../../../src/console/submit-program.js';
import { rowsInSight } from '../../../src/console/virtual-rows.js';
import type { Checkpoint, JobStatus } from '../../../src/rest/job-schemas.js';

describe('exceptions', () => {
  const entry = (name: string, message: string, timestamp: number, taskName: string | null) => ({
    exceptionName: name,
    stacktrace: `${name}: ${message}\n  at line`,
    timestamp,
    taskName,
    endpoint: null,
    taskManagerId: null,
    failureLabels: {},
    concurrentExceptions: [],
  });

  it('of one cause are one, whatever the record, and the newest cause is first', () => {
    const groups = groupedByCause([
      entry('USER_FUNCTION_FAILED', 'Record 7 is wrong.', 100, 'map (0)'),
      entry('PROCESS_DIED', 'It is gone.', 300, null),
      entry('USER_FUNCTION_FAILED', 'Record 12 is wrong.', 200, 'map (1)'),
    ]);
    expect(groups).toMatchObject([
      { name: 'PROCESS_DIED', count: 1, tasks: [] },
      {
        name: 'USER_FUNCTION_FAILED',
        message: 'Record 12 is wrong.',
        count: 2,
        firstMs: 100,
        lastMs: 200,
        tasks: ['map (1)', 'map (0)'],
      },
    ]);
  });
});

describe('checkpoints on a line of time', () => {
  const checkpoint = (id: number, at: number, took: number, bytes: number) =>
    ({
      id,
      status: took < 0 ? 'IN_PROGRESS' : 'COMPLETED',
      trigger_timestamp: at,
      end_to_end_duration: took,
      checkpointed_size: bytes,
    }) as Checkpoint;

  it('are as wide as they took and as high as what they wrote, and none sticks out', () => {
    const bars = timelineBars(
      [checkpoint(3, 9000, -1, 0), checkpoint(2, 5000, 2000, 100), checkpoint(1, 0, 1, 50)],
      10_000,
    );
    expect(bars).toMatchObject([
      { id: 3, x: 900, width: 100 },
      { id: 2, x: 500, width: 200 },
      { id: 1, x: 0 },
    ]);
    expect(bars[1]?.height).toBeCloseTo(2 * (bars[2]?.height ?? 0));
    for (const { x, width } of bars) expect(x + width).toBeLessThanOrEqual(1000);
  });
});

describe('long tables', () => {
  it('hold the rows in sight, with a margin, and no others', () => {
    expect(rowsInSight(0, 280, 28, 10_000)).toEqual([0, 18]);
    expect(rowsInSight(28_000, 280, 28, 10_000)).toEqual([992, 1018]);
    expect(rowsInSight(28_000, 280, 28, 20)).toEqual([20, 20]);
    expect(rowsInSight(0, 280, 28, 3)).toEqual([0, 3]);
  });
});

describe('small lines', () => {
  it('end at the right with the newest value, the greatest at the top', () => {
    expect(sparkPoints([0, 10, 5], 100, 21, 3)).toBe('0.0,20.0 50.0,1.0 100.0,10.5');
    expect(sparkPoints([1], 100, 21, 3)).toBe('100.0,1.0');
  });
});

describe('what can be done to a job', () => {
  const possible = (state: JobStatus) =>
    JOB_ACTIONS.filter((action) => isPossible(action, state)).map(({ name }) => name);

  it('depends on its state', () => {
    expect(possible('RUNNING')).toEqual(['checkpoint', 'savepoint', 'rescale', 'stop', 'cancel']);
    expect(possible('RESTARTING')).toEqual(['cancel']);
    for (const state of ['FINISHED', 'FAILED', 'CANCELED', 'CANCELLING'] as const) {
      expect(possible(state)).toEqual([]);
    }
  });
});

describe('the form for a job', () => {
  it('asks for what was filled in, and shows the call', () => {
    const form = {
      ...NO_PROGRAM,
      parallelism: '4',
      params: '{"days": 7}',
      settings: 'slot.memory = 1gb\n\nexecution.checkpointing.interval=10s',
    };
    expect(programOf(form)).toEqual({
      parallelism: 4,
      params: { days: 7 },
      flinkConfiguration: { 'slot.memory': '1gb', 'execution.checkpointing.interval': '10s' },
    });
    expect(runCall('x.mjs', NO_PROGRAM)).toBe('POST /jars/x.mjs/run\n{}');
    expect(runCommandLine('x.mjs', 'localhost:8081', form)).toBe(
      'millrace run x.mjs --server localhost:8081 -p 4 --param days=7 ' +
        '-D slot.memory=1gb -D execution.checkpointing.interval=10s',
    );
  });

  it('says of a restore what may be lost and whose it is, only where it goes on from something', () => {
    const choices = { claimMode: 'CLAIM', allowNonRestored: true } as const;
    expect(programOf({ ...NO_PROGRAM, ...choices })).toEqual({});
    const form = { ...NO_PROGRAM, ...choices, savepointPath: "/data/it's", baseDirectory: '/a b' };
    expect(programOf(form)).toEqual({
      savepointPath: "/data/it's",
      claimMode: 'CLAIM',
      allowNonRestoredState: true,
      baseDirectory: '/a b',
    });
    expect(runCommandLine('x.mjs', 'h:1', form)).toBe(
      "cd '/a b' && millrace run x.mjs --server h:1 --from '/data/it'\\''s' " +
        '--claim-mode claim --allow-non-restored',
    );
    expect(isRestore(form)).toBe(true);
    expect(isRestore({ ...form, savepointPath: ' ' })).toBe(false);
  });

  it('says what is wrong with it', () => {
    for (const [name, text] of [
      ['params', '{days: 7}'],
      ['params', '[7]'],
      ['settings', 'slot.memory'],
      ['parallelism', 'four'],
    ] as const) {
      expect(() => programOf({ ...NO_PROGRAM, [name]: text })).toThrow(
        expect.objectContaining({ code: 'REQUEST_INVALID' }),
      );
      expect(runCall('x.mjs', { ...NO_PROGRAM, [name]: text })).toMatch(
        /no (JSON|setting|whole number)/,
      );
    }
  });
});
