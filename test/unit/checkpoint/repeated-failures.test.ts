import { describe, expect, it } from 'vitest';
import { type ErrorWhere, MillraceError, toWire } from '../../../src/base/errors.js';
import { RepeatedFailures } from '../../../src/checkpoint/repeated-failures.js';

const failureAt = (where: ErrorWhere, message = 'It threw.') =>
  toWire(new MillraceError('USER_FUNCTION_FAILED', message, { where }));
const PLACE = { operator: 'map', uid: 'm', subtask: 0, record: 4 };

describe('failures at the same record', () => {
  it('end the job when they are too many, with the record and the cause', () => {
    const failures = new RepeatedFailures(3);
    const failure = failureAt(PLACE);
    expect(failures.failed(failure)).toBeNull();
    expect(failures.failed(failureAt({ ...PLACE, subtask: 1 }))).toBeNull();
    const end = failures.failed(failure);
    expect(end).toMatchObject({ code: 'RECORD_FAILED_REPEATEDLY', where: PLACE, cause: failure });
    expect(end?.message).toBe('The same record failed the job 3 times, in map: It threw.');
  });

  it.each<[string, ErrorWhere, string]>([
    ['of another operator', { ...PLACE, uid: 'n' }, 'It threw.'],
    ['at another record', { ...PLACE, record: 5 }, 'It threw.'],
    ['at another line', { ...PLACE, line: 3 }, 'It threw.'],
    ['with another message', PLACE, 'It threw something else.'],
  ])('are told from those %s', (_, where, message) => {
    const failures = new RepeatedFailures(2);
    expect(failures.failed(failureAt(PLACE))).toBeNull();
    expect(failures.failed(failureAt(where, message))).toBeNull();
    expect(failures.failed(failureAt(PLACE))).not.toBeNull();
  });

  it('are forgotten when a checkpoint has completed', () => {
    const failures = new RepeatedFailures(2);
    failures.failed(failureAt(PLACE));
    failures.passed();
    expect(failures.failed(failureAt(PLACE))).toBeNull();
  });

  it('are not looked for where no record is known, nor when that is switched off', () => {
    const { record: _, ...nowhere } = PLACE;
    expect(new RepeatedFailures(1).failed(failureAt(nowhere))).toBeNull();
    expect(new RepeatedFailures(0).failed(failureAt(PLACE))).toBeNull();
    expect(new RepeatedFailures(1).failed(failureAt(PLACE))).not.toBeNull();
  });
});
