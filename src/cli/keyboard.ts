/**
 * Single keys of a terminal, without Enter. Callers: the dev and top commands. Runs on: the main thread. Invariant: the
 * terminal is as it was after `release` and however the process ends, since Node resets the mode itself; Ctrl-C and
 * Ctrl-Z mean what they always mean.
 */

/** The part of standard input that is read. */
export interface KeyStream {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  setEncoding(encoding: 'utf8'): unknown;
  on(event: 'data', listener: (text: string) => void): unknown;
  off(event: 'data', listener: (text: string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** A keyboard that is listened to. */
export interface Keyboard {
  release(): void;
}

const ESCAPE = '\x1b';
/** An arrow or function key sends a sequence, of which no character is a key of its own. */
const KEYS = new RegExp(`${ESCAPE}(?:\\[[\\d;]*[A-Za-z~]|O?.)?|.`, 'gsu');
/** What arrows send, and what they are called. */
const ARROWS: Readonly<Record<string, string>> = {
  [`${ESCAPE}[A`]: 'up',
  [`${ESCAPE}[B`]: 'down',
  [`${ESCAPE}OA`]: 'up',
  [`${ESCAPE}OB`]: 'down',
};
const CTRL_C = '\x03';
const CTRL_Z = '\x1a';

/**
 * Gives every key to `onKey` until released, in lower case, and arrows as `up` and `down`; null where nobody types.
 */
export function openKeyboard(
  stream: KeyStream,
  onKey: (key: string) => void,
  raise: (signal: 'SIGINT' | 'SIGTSTP') => void,
): Keyboard | null {
  if (stream.isTTY !== true || stream.setRawMode === undefined) return null;
  const setRawMode = stream.setRawMode.bind(stream);
  const onData = (text: string): void => {
    for (const [key] of text.matchAll(KEYS)) {
      if (key === CTRL_C) raise('SIGINT');
      else if (key === CTRL_Z) raise('SIGTSTP');
      else if (key.startsWith(ESCAPE)) arrow(key);
      else onKey(key.toLowerCase());
    }
  };
  const arrow = (sequence: string): void => {
    const name = ARROWS[sequence];
    if (name !== undefined) onKey(name);
  };
  setRawMode(true);
  stream.setEncoding('utf8');
  stream.on('data', onData);
  stream.resume();
  return {
    release: () => {
      setRawMode(false);
      stream.off('data', onData);
      stream.pause();
    },
  };
}
