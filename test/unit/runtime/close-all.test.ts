import { describe, expect, it } from 'vitest';
import { closeAfterFailure, closeAll } from '../../../src/runtime/close-all.js';

function closeables(): { list: { close(): void }[]; closed: number[] } {
  const closed: number[] = [];
  const list = [0, 1, 2, 3].map((index) => ({
    close: (): void => {
      closed.push(index);
      if (index % 2 === 1) throw new Error(`closing ${index}`);
    },
  }));
  return { list, closed };
}

describe('closing', () => {
  it('closes all and throws the first error', () => {
    const { list, closed } = closeables();
    expect(() => closeAll(list)).toThrow('closing 1');
    expect(closed).toEqual([0, 1, 2, 3]);
  });

  it('throws undefined too, when that was thrown', () => {
    const thrower = {
      close: (): void => {
        throw undefined;
      },
    };
    let thrown = 0;
    try {
      closeAll([thrower]);
    } catch {
      thrown++;
    }
    expect(thrown).toBe(1);
  });

  it('throws nothing after a failure', () => {
    const { list, closed } = closeables();
    closeAfterFailure(list);
    expect(closed).toEqual([0, 1, 2, 3]);
  });
});
