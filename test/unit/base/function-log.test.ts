import { describe, expect, it } from 'vitest';
import { FunctionLog, type LogLine, logLevelNumber } from '../../../src/base/function-log.js';

function opened() {
  const time = { nowMs: 0 };
  const lines: LogLine[] = [];
  const word = new Int32Array(new SharedArrayBuffer(4));
  word[0] = logLevelNumber('info');
  const clock = { epochMs: () => time.nowMs, monotonicMs: () => time.nowMs };
  const place = { operator: 'price', uid: 'price-1', subtask: 2 };
  const log = new FunctionLog(word, clock, place, (line) => lines.push(line));
  return { log, lines, word, time };
}

describe('the log of a function', () => {
  it('writes what is at or above the level, which may change at any time', () => {
    const { log, lines, word } = opened();
    log.debug('too little');
    log.info('enough', { item: 7n });
    word[0] = logLevelNumber('debug');
    log.debug('now enough');
    word[0] = logLevelNumber('silent');
    log.error('nothing');
    expect(lines).toEqual([
      {
        level: 'info',
        atMs: 0,
        operator: 'price',
        uid: 'price-1',
        subtask: 2,
        message: 'enough',
        fields: '{"item":"7"}',
        dropped: 0,
      },
      expect.objectContaining({ level: 'debug', message: 'now enough', fields: null }),
    ]);
  });

  it('writes no more than it may, and says how much it has left out', () => {
    const { log, lines, time } = opened();
    for (let line = 0; line < 1500; line++) log.info(String(line));
    expect(lines).toHaveLength(1000);
    time.nowMs = 2000;
    for (let line = 0; line < 1000; line++) log.info('later');
    // 100 a second.
    expect(lines).toHaveLength(1200);
    expect(lines[1000]).toMatchObject({ message: 'later', dropped: 500 });
    time.nowMs = 1e9;
    for (let line = 0; line < 5000; line++) log.info('much later');
    expect(lines).toHaveLength(2200);
  });

  it('never fails the function, whatever it is given', () => {
    const { log, lines } = opened();
    const round: { self?: unknown } = {};
    round.self = round;
    log.info('round', round);
    const { warn } = log;
    warn(Symbol('no text') as never, { bad: 1, toJSON: () => 'x'.repeat(10_000) });
    log.info('x'.repeat(10_000));
    const hostile = {
      toString: () => {
        throw new Error('no text');
      },
    };
    log.info(hostile as never);
    expect(lines.map(({ fields }) => fields)).toEqual([null, null, null, null]);
    expect(lines.map(({ message }) => message.length)).toEqual([5, 2, 8192, 14]);
  });
});
