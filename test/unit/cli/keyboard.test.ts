import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { openKeyboard } from '../../../src/cli/keyboard.js';

function opened() {
  const emitter = new EventEmitter();
  const raw: boolean[] = [];
  const keys: string[] = [];
  const signals: string[] = [];
  const stream = {
    isTTY: true,
    setRawMode: (isRaw: boolean) => raw.push(isRaw),
    setEncoding: () => {},
    on: (event: 'data', listener: (text: string) => void) => emitter.on(event, listener),
    off: (event: 'data', listener: (text: string) => void) => emitter.off(event, listener),
    resume: () => {},
    pause: () => {},
  };
  const keyboard = openKeyboard(
    stream,
    (key) => keys.push(key),
    (signal) => signals.push(signal),
  );
  return { emitter, raw, keys, signals, keyboard };
}

describe('keys of a terminal', () => {
  it('come one by one, however many were read at once', () => {
    const { emitter, keys, signals } = opened();
    emitter.emit('data', 'jK\r');
    emitter.emit('data', 'a\x03\x1a');
    expect(keys).toEqual(['j', 'k', '\r', 'a']);
    expect(signals).toEqual(['SIGINT', 'SIGTSTP']);
  });

  it('are arrows by their names, of both kinds of terminals, and nothing of other sequences', () => {
    const { emitter, keys } = opened();
    for (const text of [
      '\x1b[B\r',
      '\x1b[A',
      '\x1bOA\x1bOB',
      '\x1b[15~q',
      '\x1b[1;5C',
      '\x1b',
      '\x1bx',
    ]) {
      emitter.emit('data', text);
    }
    expect(keys).toEqual(['down', '\r', 'up', 'up', 'down', 'q']);
  });

  it('leaves the terminal as it was', () => {
    const { emitter, keys, raw, keyboard } = opened();
    keyboard?.release();
    emitter.emit('data', 'q');
    expect(raw).toEqual([true, false]);
    expect(keys).toEqual([]);
    expect(
      openKeyboard(
        { ...process.stdin, isTTY: false } as never,
        () => {},
        () => {},
      ),
    ).toBeNull();
  });
});
