/**
 * Watches everything that this process writes to a stream: results of the print sink, `console.log` of a job's
 * functions (also those in slots, which Node forwards through this process), warnings of Node. Callers: the screen,
 * the JSON view. Runs on: the main thread. Invariant: after `release` the stream is as it was before.
 */

/** The part of a stream that is watched. */
export interface HookedStream {
  write(chunk: string | Uint8Array, ...rest: unknown[]): boolean;
}

/** A hook on a stream. */
export interface WriteHook {
  /** Writes past the hook. */
  writeRaw(text: string): void;
  release(): void;
}

/** Gives every chunk written to `stream` to `onText` instead, until released. */
export function hookWrites(
  stream: HookedStream,
  onText: (text: string, writeRaw: (text: string) => void) => void,
): WriteHook {
  const ownWrite = Object.getOwnPropertyDescriptor(stream, 'write');
  const original = stream.write.bind(stream);
  const writeRaw = (text: string): void => void original(text);
  const decoder = new TextDecoder();
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    onText(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }), writeRaw);
    const callback = rest.find((value) => typeof value === 'function');
    // Who waits for it waits for everything that was written before.
    if (callback !== undefined) original('', callback);
    return true;
  };
  return {
    writeRaw,
    release: () => {
      if (ownWrite === undefined) Reflect.deleteProperty(stream, 'write');
      else Object.defineProperty(stream, 'write', ownWrite);
    },
  };
}
