import { describe, expect, it } from 'vitest';
import { MillraceError, toWire } from '../../../src/base/errors.js';
import { checkpointingLine, finishedBeforeLine } from '../../../src/cli/checkpointing-line.js';

const mapping = { restored: ['a'], fresh: [], lost: [] };

describe('what the command line says of checkpoints', () => {
  it('names what the job goes on from, what is new, what is left out and what was passed over', () => {
    const damaged = new MillraceError('CHECKPOINT_CORRUPT', 'A checkpoint is damaged.', {
      where: { file: '/jobs/c/chk-9/_metadata', byteOffset: 12 },
    });
    const event = {
      type: 'restored',
      checkpoint: 8,
      path: '/jobs/c/chk-8',
      mapping: { restored: ['a'], fresh: ['b'], lost: ['d'] },
      damaged: [toWire(damaged)],
    } as const;
    expect(checkpointingLine(event, '/jobs')).toBe(
      'Continues from checkpoint 8 (c/chk-8); new: b; left out: d; passed over ' +
        'c/chk-9/_metadata at byte 12: A checkpoint is damaged.',
    );
    const plain = { ...event, path: null, mapping, damaged: [] };
    expect(checkpointingLine(plain, '/jobs')).toBe('Continues from checkpoint 8');
  });

  it('tells why the job starts again, and when', () => {
    const error = toWire(new MillraceError('USER_FUNCTION_FAILED', 'It threw.'));
    const restart = { type: 'restart', error, delayMs: 1000 } as const;
    const whole = checkpointingLine({ ...restart, vertices: null }, '/');
    expect(whole).toContain('It threw. Starts again after 1');
    const part = checkpointingLine({ ...restart, vertices: [0, 3] }, '/');
    expect(part).toContain('It threw. Chains 0 and 3 start again after 1');
  });
});

it('tells where a chain of changes is broken', () => {
  const error = new MillraceError('CHECKPOINT_CORRUPT', 'A checkpoint is damaged.', {
    where: { file: '/jobs/c/shared/state-9-0-1', byteOffset: 40 },
  });
  expect(checkpointingLine({ type: 'chainBroken', error: toWire(error) }, '/jobs')).toBe(
    'The next checkpoint holds all state: c/shared/state-9-0-1 at byte 40: ' +
      'A checkpoint is damaged.',
  );
});

it('of a job that had finished says when, and how it is run again', () => {
  expect(finishedBeforeLine(Date.UTC(2026, 0, 2, 3, 4, 5))).toBe(
    'Nothing to do: the job had finished at 2026-01-02 03:04:05 UTC. To run it again, leave out ' +
      '--from or add -D execution.stateRecovery.ifFinished=anew.',
  );
});
