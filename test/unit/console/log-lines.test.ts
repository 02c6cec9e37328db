import { describe, expect, it } from 'vitest';
import { chosenLines, linesIn } from '../../../src/console/log-lines.js';

const text = [
  '"cut":1}',
  JSON.stringify({ level: 'info', time: 0, seq: 1, job: 'a', msg: 'The job is RUNNING' }),
  JSON.stringify({
    ...{ level: 'error', time: 61_001, operator: 'map', subtask: 3, attempt: 2, msg: 'a\nb' },
    ...{ fields: { id: 7, stack: 'Error: b\n  at x' }, dropped: 4 },
  }),
  JSON.stringify({ level: 'debug', time: 0, operator: 'map', msg: 'seen', fields: [1, 2] }),
  'null',
  '',
].join('\n');

describe('lines of the log of a job', () => {
  it('have time, level, operator with subtask, message and fields in one line', () => {
    expect(linesIn(text).map((line) => line.text)).toEqual([
      '00:00:00.000 INFO  The job is RUNNING',
      '00:01:01.001 ERROR map[3] a ⏎ b {"id":7} (4 lines before it left out)',
      '00:00:00.000 DEBUG map[0] seen [1,2]',
    ]);
  });

  it('have what is behind them', () => {
    expect(linesIn(text)[1]?.detail).toBe(
      '1970-01-01T00:01:01.001Z\nattempt 2\n{\n  "id": 7\n}\nError: b\n  at x',
    );
  });

  it('are chosen by level and text', () => {
    const lines = linesIn(text);
    expect(chosenLines(lines, 'trace', '')).toHaveLength(3);
    expect(chosenLines(lines, 'info', '')).toHaveLength(2);
    expect(chosenLines(lines, 'error', '').map(({ place }) => place)).toEqual(['map[3]']);
    expect(chosenLines(lines, 'trace', 'IS RUNNING')).toHaveLength(1);
  });
});
