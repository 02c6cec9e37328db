import { describe, expect, it } from 'vitest';
import { assert, unreachable } from '../../../src/base/assert.js';
import { MillraceError } from '../../../src/base/errors.js';

const thrownBy = (action: () => void): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  return null;
};

describe('assert', () => {
  it('lets what holds pass', () => {
    expect(thrownBy(() => assert(1, 'One is true.'))).toBeNull();
  });

  it('fails with the broken rule, and says whose fault it is', () => {
    const error = thrownBy(() => assert(0, 'Every row has a key.'));
    expect(error).toMatchObject({ code: 'ASSERTION', retryable: false });
    expect(String(error)).toContain('Every row has a key. This is a defect of Millrace');
    expect(MillraceError.is(error)).toBe(true);
  });

  it('names a value that should not exist', () => {
    const value: string = 'sideways';
    expect(() => unreachable(value as never, 'direction')).toThrow(
      'Unexpected direction: sideways.',
    );
  });
});
