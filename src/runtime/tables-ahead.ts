/**
 * Tables of keyed operators that a slot's thread loads from checkpoints while the job still runs at the parallelism
 * that it had, so that less is left to be done while it stands still: what later checkpoints have changed. Callers: the
 * slot thread, which loads it late, and what restores its subtasks. Runs on: the slot's thread. Invariant: a table is
 * taken only for the same key groups, for entries of the same kind, and where what it holds is what the checkpoint that
 * is restored begins with.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import type { StatePiece } from '../checkpoint/contract.js';
import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { keyGroupRange } from '../record/key-group.js';
import type { StateTable, TableSpec } from '../state/contract.js';
import { createHotTable } from '../state/hot-table.js';
import type { KeptTable } from '../state/state-writer.js';
import { loadTable, wholeOf } from '../state/table-snapshot.js';
import { type RestoredSubtask, RestoredState } from './restored-state.js';

/** A table of a subtask. */
export type AheadTable = KeptTable & RestoredSubtask;

/** What a thread is to load. Plain data. */
export interface AheadTask {
  /** A checkpoint. */
  readonly path: string;
  /** Those that the slot will have. */
  readonly tables: readonly AheadTable[];
  /** What all tables together may take: those of the slot. */
  readonly bytesMax: number;
}

/** The pieces of a subtask by the name under which they were written, in their order. */
type PiecesOf = (name: string) => readonly StatePiece[];

interface LoadedTable {
  readonly table: StateTable;
  readonly of: AheadTable;
  /** What is in it, by name. */
  readonly pieces: ReadonlyMap<string, readonly StatePiece[]>;
}

/**
 * The tables of one slot.
 *
 * @example
 * const ahead = new TablesAhead();
 * ahead.follow(disk, { path: 'checkpoints/3f2a91/chk-7', tables, bytesMax });
 * ahead.follow(disk, { path: 'checkpoints/3f2a91/chk-8', tables, bytesMax });
 */
export class TablesAhead {
  /** By operator, name and subtask. */
  readonly #tables = new Map<string, LoadedTable>();
  /** How many pieces those have that were taken. */
  readonly #taken = new Map<string, number>();

  /**
   * Loads the state of a checkpoint, or what is new in it since the one before. Throws MEMORY_EXHAUSTED when the tables
   * do not fit, and what reading a checkpoint throws.
   */
  follow(disk: Disk, task: AheadTask): void {
    const { manifest, reader } = openCheckpoint(disk, task.path);
    try {
      this.load(new RestoredState(manifest, (piece) => reader.read(piece)), task);
    } finally {
      reader.close();
    }
  }

  load(state: RestoredState, { tables, bytesMax }: Omit<AheadTask, 'path'>): void {
    let bytes = 0;
    for (const table of tables) {
      bytes += this.#load(state, table).bytes;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
    }
  }

  #load(state: RestoredState, of: AheadTable): StateTable {
    const { uid, spec, parts, subtask, parallelism, maxParallelism } = of;
    const who = { subtask, parallelism, maxParallelism };
    const key = keyOf(uid, spec.name, who);
    const before = this.#tables.get(key);
    const isBase =
      before !== undefined &&
      isDeepStrictEqual(before.of, of) &&
      goesOn(before, (name) => state.keyedPieces(uid, name, who));
    const keyGroups = keyGroupRange(subtask, parallelism, maxParallelism);
    const table = isBase ? before.table : createHotTable(spec, { keyGroups });
    const loadedOf = (_: string, name: string): number =>
      isBase ? (before.pieces.get(name)?.length ?? 0) : 0;
    const source = state.sourceFor(who, loadedOf);
    const projections = parts.length === 0 ? [wholeOf(table)] : parts;
    const pieces = new Map<string, readonly StatePiece[]>();
    for (const projection of projections) {
      const { name } = projection.spec;
      loadTable(table, source.get(uid, name), projection);
      pieces.set(name, state.keyedPieces(uid, name, who));
    }
    this.#tables.set(key, { table, of, pieces });
    return table;
  }

  /**
   * The table of a subtask that goes on from these pieces, which is then the caller's; null when there is none, or one
   * that holds something else.
   */
  take(uid: string, spec: TableSpec, who: RestoredSubtask, piecesOf: PiecesOf): StateTable | null {
    const key = keyOf(uid, spec.name, who);
    const known = this.#tables.get(key);
    this.#tables.delete(key);
    if (known === undefined) return null;
    const { subtask, parallelism, maxParallelism } = known.of;
    if (!isDeepStrictEqual({ subtask, parallelism, maxParallelism }, who)) return null;
    if (!isDeepStrictEqual(known.table.spec, spec) || !goesOn(known, piecesOf)) return null;
    for (const [name, { length }] of known.pieces) this.#taken.set(keyOf(uid, name, who), length);
    return known.table;
  }

  /** How many of the pieces are in the table that was taken. */
  loadedOf(uid: string, name: string, who: RestoredSubtask): number {
    return this.#taken.get(keyOf(uid, name, who)) ?? 0;
  }
}

function keyOf(uid: string, name: string, { subtask }: RestoredSubtask): string {
  return JSON.stringify([uid, name, subtask]);
}

/** Whether what a table holds is what others begin with. */
function goesOn({ pieces }: LoadedTable, piecesOf: PiecesOf): boolean {
  return [...pieces].every(([name, held]) => {
    const of = piecesOf(name);
    return held.every((piece, at) => isSamePiece(piece, of[at]));
  });
}

function isSamePiece(left: StatePiece, right: StatePiece | undefined): boolean {
  return left.keyGroup === right?.keyGroup && isDeepStrictEqual(left.at, right.at);
}

function tooLarge(bytesMax: number): MillraceError {
  return new MillraceError('MEMORY_EXHAUSTED', `The tables do not fit in ${bytesMax} bytes.`);
}
