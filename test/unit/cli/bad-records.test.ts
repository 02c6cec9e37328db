import { describe, expect, it } from 'vitest';
import { BadRecords } from '../../../src/cli/bad-records.js';
import { MillraceError, toWire } from '../../../src/base/errors.js';
import type { BadRecordReport } from '../../../src/runtime/messages.js';

function report(message: string, line: number): BadRecordReport {
  const error = toWire(new MillraceError('BAD_RECORD', message));
  return { vertex: 0, file: '/here/in.csv', line, byteOffset: 0, bytes: new Uint8Array(), error };
}

describe('bad records', () => {
  it('are counted by reason, whatever the value was', () => {
    const records = new BadRecords('/here');
    records.add(report('"12x" in line 3 is no number.', 3));
    records.add(report('The row has 4 fields instead of 5.', 7));
    records.add(report('"abc" in line 9 is no number.', 9));
    expect(records.groups(3)).toEqual([
      { reason: '"12x" in line 3 is no number.', records: 2, firstPlace: 'in.csv:3' },
      { reason: 'The row has 4 fields instead of 5.', records: 1, firstPlace: 'in.csv:7' },
    ]);
  });

  it('that were not reported are counted too', () => {
    const records = new BadRecords('/here');
    records.add(report('bad', 1));
    expect(records.groups(5).at(-1)).toEqual({
      reason: 'not looked into',
      records: 4,
      firstPlace: null,
    });
  });

  it('of many reasons do not fill the memory', () => {
    const records = new BadRecords('/elsewhere');
    for (let index = 0; index < 500; index++) {
      const word = String.fromCharCode(97 + (index % 26)).repeat(1 + Math.floor(index / 26));
      records.add(report(word, index));
    }
    const groups = records.groups(500);
    expect(groups).toHaveLength(21);
    expect(groups[0]).toMatchObject({ reason: 'other reasons', records: 480 });
    expect(groups[1]?.firstPlace).toBe('/here/in.csv:0');
  });
});
