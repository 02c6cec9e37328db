/**
 * What is looked at of the state of a checkpoint, and the REST call and the command line that show the same. Callers:
 * the state's screen. Runs on: the page's thread; pure.
 */
import type { Checkpoints } from '../rest/job-schemas.js';

/** Entries of a page, and bytes of a key or a value. */
export const PAGE_ENTRIES = 50;
export const VALUE_BYTES = 4096;

/** Which entries are asked for. */
export interface StateLook {
  readonly operator: string;
  readonly state: string;
  /** Whether the text is the key, or how it begins. */
  readonly by: 'key' | 'prefix';
  /** Empty for all. */
  readonly text: string;
  /** Where the page begins; null for the first. */
  readonly after: string | null;
}

/** Parameters of the query. */
export function queryOf({ operator, state, by, text, after }: StateLook) {
  return {
    operator,
    state,
    ...(text === '' ? {} : { [by]: text }),
    ...(after === null ? {} : { after }),
    limit: String(PAGE_ENTRIES),
    bytes: String(VALUE_BYTES),
  };
}

/** The request; without a look, that for what there is. */
export function restOf(jid: string, id: number, look: StateLook | null): string {
  const path = `GET /jobs/${jid}/checkpoints/details/${id}/state`;
  if (look === null) return path;
  return `${path}/entries?${new URLSearchParams(queryOf(look)).toString()}`;
}

/** The command on the machine of the server; null for what it has nothing like. */
export function commandLineOf(path: string, look: StateLook | null): string | null {
  if (look === null) return `millrace state ls ${quoted(path)}`;
  const { operator, state, by, text, after } = look;
  const place = [path, operator, state].map(quoted).join(' ');
  if (text === '') {
    return after === null ? `millrace state scan ${place} --limit ${PAGE_ENTRIES}` : null;
  }
  return by === 'key' ? `millrace state get ${place} ${quoted(text)}` : null;
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A checkpoint that can be looked into. */
export interface ReadableCheckpoint {
  readonly id: number;
  readonly kind: 'checkpoint' | 'savepoint';
  readonly takenMs: number;
}

/** Those that are still there, newest first. */
export function readableOf({ history, latest }: Checkpoints): readonly ReadableCheckpoint[] {
  const { completed, savepoint, restored } = latest;
  const found = new Map<number, ReadableCheckpoint>();
  if (restored !== null && restored.external_path !== null) {
    const { id, is_savepoint, restore_timestamp: takenMs } = restored;
    found.set(id, { id, kind: is_savepoint ? 'savepoint' : 'checkpoint', takenMs });
  }
  for (const one of [...history, completed, savepoint]) {
    if (one?.status !== 'COMPLETED' || one.discarded === true || one.external_path === null)
      continue;
    const { id, is_savepoint, trigger_timestamp: takenMs } = one;
    found.set(id, { id, kind: is_savepoint ? 'savepoint' : 'checkpoint', takenMs });
  }
  return [...found.values()].toSorted((a, b) => b.id - a.id);
}

/** A value as text, and all of its bytes where it was cut. */
export function valueText(value: unknown): { readonly text: string; readonly cut: number | null } {
  const members = Object(value) as { readonly $cut?: { readonly text: string; bytes: number } };
  const { $cut } = members;
  if ($cut !== undefined) return { text: $cut.text, cut: $cut.bytes };
  return { text: typeof value === 'string' ? value : JSON.stringify(value), cut: null };
}
