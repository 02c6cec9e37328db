import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../../src/base/error-codes.js';
import { ERROR_MEANINGS } from '../../../src/base/error-meanings.js';
import { describeError, fromWire, MillraceError, toWire } from '../../../src/base/errors.js';

describe('MillraceError', () => {
  it('carries code, place and advice, and reads as one line', () => {
    const error = new MillraceError('FILE_NOT_FOUND', 'There is no such file.', {
      where: { job: 'etl', file: 'in.csv' },
      advice: 'Check the path.',
    });
    expect(describeError(error)).toBe(
      'FILE_NOT_FOUND: There is no such file. (job etl, file in.csv) Check the path.',
    );
  });

  it('takes more coordinates, of which those it had win, and keeps the rest', () => {
    const cause = new Error('why');
    const error = new MillraceError('BAD_RECORD', 'No.', {
      cause,
      where: { line: 3 },
      advice: 'Do.',
    });
    const moved = error.at({ line: 9, job: 'etl' });
    expect(moved).toMatchObject({ where: { line: 3, job: 'etl' }, advice: 'Do.', cause });
    expect(moved.stack).toBe(error.stack);
  });

  it('knows from its code alone whether to try again', () => {
    expect(new MillraceError('FILE_UNREADABLE', '').retryable).toBe(true);
    expect(new MillraceError('FILE_NOT_FOUND', '').retryable).toBe(false);
  });

  it('is told from what only looks like it', () => {
    expect(MillraceError.is({ code: 'BAD_RECORD', message: 'x' })).toBe(false);
    expect(MillraceError.is(null)).toBe(false);
  });
});

describe('the wire form', () => {
  it('crosses a thread with code, place, stack and causes', () => {
    const cause = new RangeError('too far', { cause: new MillraceError('UNIT_INVALID', 'unit') });
    const error = new MillraceError('SOURCE_FAILED', 'Lost.', { cause, where: { subtask: 2 } });
    const back = fromWire(structuredClone(toWire(error)));
    expect(back).toMatchObject({ code: 'SOURCE_FAILED', message: 'Lost.', where: { subtask: 2 } });
    expect(back.stack).toBe(error.stack);
    expect(back.cause).toMatchObject({ name: 'RangeError', message: 'too far' });
    expect((back.cause as Error).cause).toMatchObject({ code: 'UNIT_INVALID' });
    expect(MillraceError.is((back.cause as Error).cause)).toBe(true);
  });

  it('takes whatever was thrown', () => {
    expect(fromWire(toWire('plain text')).message).toBe('plain text');
    expect(fromWire(toWire(undefined)).message).toBe('undefined');
  });

  it('ends, also when causes go in a circle', () => {
    const error = new Error('round');
    error.cause = error;
    let depth = 0;
    for (let at = toWire(error); at.cause !== null; at = at.cause) depth++;
    expect(depth).toBe(8);
  });
});

describe('error codes', () => {
  it('are upper case words with a full sentence each', () => {
    for (const code of Object.keys(ERROR_CODES)) {
      const meaning = ERROR_MEANINGS[code as ErrorCode];
      expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
      expect(meaning, code).toMatch(/^[A-Z].*\.$/);
    }
  });
});
