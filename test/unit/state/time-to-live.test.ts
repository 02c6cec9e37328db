import { describe, expect, it } from 'vitest';
import { timeToLive, ttlText } from '../../../src/state/time-to-live.js';
import { openStore } from './state-fixtures.js';

function failureOf(what: () => unknown): unknown {
  try {
    what();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

describe('a time to live', () => {
  it('is a duration, or says more', () => {
    expect(timeToLive('1min', 'ttl')).toEqual({
      afterMs: 60_000,
      refreshesOnRead: false,
      showsExpired: false,
      isEventTime: false,
    });
    const whole = timeToLive(
      {
        after: 5000,
        update: 'onReadAndWrite',
        visibility: 'returnExpiredIfNotCleanedUp',
        clock: 'event',
      },
      'ttl',
    );
    expect(Object.values(whole)).toEqual([5000, true, true, true]);
    expect(ttlText(whole)).toBe('5.00 s of event time since the last use, seen until cleaned up');
  });

  it('names what is wrong with it, and what would be right', () => {
    const mistakes: readonly (readonly [object | number, string, string])[] = [
      [{ after: 1, updates: 'onReadAndWrite' }, 'OPTION_UNKNOWN', 'update'],
      [{ after: 1, clock: 'events' }, 'OPTION_INVALID', "'event'"],
      [{ after: 1, visibility: 5 }, 'OPTION_INVALID', "neverReturnExpired' or"],
      [0, 'OPTION_INVALID', 'at least 1 ms'],
    ];
    for (const [ttl, code, advice] of mistakes) {
      const error = failureOf(() => timeToLive(ttl as never, 'State "s": time to live'));
      expect(error).toMatchObject({ code, advice: expect.stringContaining(advice) });
      expect(String(error)).toContain('State "s": time to live');
    }
    const { store } = openStore();
    expect(() => store.value({ name: 's', ttl: 'soon' })).toThrow(/State "s": time to live/);
  });

  it('may let what is over be seen until it is cleaned up', () => {
    const { key, store } = openStore();
    const visibility = 'returnExpiredIfNotCleanedUp';
    const seen = store.value<number>({ name: 'seen', ttl: { after: 10, visibility } });
    const hidden = store.value<number>({ name: 'hidden', ttl: 10 });
    const keys = Array.from({ length: 100 }, (_, n) => `key ${n}`);
    for (const name of keys) {
      key.set([name]);
      seen.update(1);
      hidden.update(1);
    }
    const count = (state: typeof seen): number =>
      keys.filter((name) => {
        key.set([name]);
        return state.value() !== undefined;
      }).length;
    store.advanceTo(20, 0);
    expect([count(seen), count(hidden)]).toEqual([36, 0]);
    store.advanceTo(21, 0);
    expect(count(seen)).toBe(0);
  });
});
