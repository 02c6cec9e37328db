import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { hookWrites } from '../../../src/cli/write-hook.js';

describe('a hook on a stream', () => {
  it('has those who flush the stream wait for what was written past the hook', async () => {
    const taken: string[] = [];
    // Slow, as the pipe to another program is.
    const stream = new Writable({
      decodeStrings: false,
      write: (chunk: string, _encoding, done) => {
        setTimeout(() => {
          taken.push(chunk);
          done();
        }, 5);
      },
    });
    const seen: string[] = [];
    const hook = hookWrites(stream, (text) => seen.push(text));
    hook.writeRaw('one');
    hook.writeRaw('two');
    await new Promise((resolve) => {
      stream.write('three', resolve);
    });
    expect(taken.slice(0, 2)).toEqual(['one', 'two']);
    expect(seen).toEqual(['three']);
    hook.release();
    await new Promise((resolve) => {
      stream.write('four', resolve);
    });
    expect(taken.at(-1)).toBe('four');
    expect(seen).toEqual(['three']);
  });
});
