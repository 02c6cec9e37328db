import { describe, expect, it } from 'vitest';
import {
  commandLineOf,
  readableOf,
  restOf,
  type StateLook,
  valueText,
} from '../../../src/console/state-look.js';
import type { Checkpoint, Checkpoints } from '../../../src/rest/job-schemas.js';

const JID = 'f'.repeat(32);
const ALL: StateLook = { operator: 'a b', state: 'sum', by: 'key', text: '', after: null };

describe('what is looked at of state', () => {
  it('is shown as the request that is sent', () => {
    expect(restOf(JID, 7, null)).toBe(`GET /jobs/${JID}/checkpoints/details/7/state`);
    const url = new URL(restOf(JID, 7, { ...ALL, text: 'ä&b', after: '3.9' }).slice(4), 'http://a');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      operator: 'a b',
      state: 'sum',
      key: 'ä&b',
      after: '3.9',
      limit: '50',
      bytes: '4096',
    });
  });

  it('is shown as the command that prints the same, each part one word of a shell', () => {
    expect(commandLineOf('/a/chk-1', null)).toBe('millrace state ls /a/chk-1');
    expect(commandLineOf('/a/chk-1', ALL)).toBe(
      "millrace state scan /a/chk-1 'a b' sum --limit 50",
    );
    expect(commandLineOf('/a/chk-1', { ...ALL, text: "it's $HOME" })).toBe(
      "millrace state get /a/chk-1 'a b' sum 'it'\\''s $HOME'",
    );
    // The command line goes through all entries, and knows neither pages nor beginnings.
    expect(commandLineOf('/a/chk-1', { ...ALL, after: '1.1' })).toBeNull();
    expect(commandLineOf('/a/chk-1', { ...ALL, by: 'prefix', text: 'a' })).toBeNull();
  });

  it('is cut where the server has cut it, and nowhere else', () => {
    expect(valueText('a')).toEqual({ text: 'a', cut: null });
    expect(valueText(null)).toEqual({ text: 'null', cut: null });
    expect(valueText({ a: 1 })).toEqual({ text: '{"a":1}', cut: null });
    expect(valueText({ $cut: { text: '{"a', bytes: 9 } })).toEqual({ text: '{"a', cut: 9 });
  });
});

describe('checkpoints that can be looked into', () => {
  const checkpoint = (id: number, more: Partial<Checkpoint> = {}) =>
    ({
      id,
      status: 'COMPLETED',
      is_savepoint: false,
      trigger_timestamp: id * 1000,
      external_path: `/a/chk-${id}`,
      discarded: false,
      ...more,
    }) as Checkpoint;
  const checkpoints = (history: readonly Checkpoint[], latest: object = {}) =>
    ({
      history,
      latest: { completed: null, savepoint: null, failed: null, restored: null, ...latest },
    }) as Checkpoints;

  it('are those that are there, newest first, each once', () => {
    const history = [
      checkpoint(9, { status: 'IN_PROGRESS' }),
      checkpoint(8),
      checkpoint(7, { discarded: true }),
      checkpoint(6, { status: 'FAILED' }),
      checkpoint(5, { external_path: null }),
    ];
    const savepoint = checkpoint(2, { is_savepoint: true });
    const restored = { id: 1, is_savepoint: true, restore_timestamp: 5, external_path: '/a/s' };
    const found = readableOf(checkpoints(history, { completed: history[1], savepoint, restored }));
    expect(found).toEqual([
      { id: 8, kind: 'checkpoint', takenMs: 8000 },
      { id: 2, kind: 'savepoint', takenMs: 2000 },
      { id: 1, kind: 'savepoint', takenMs: 5 },
    ]);
    expect(readableOf(checkpoints([]))).toEqual([]);
  });
});
