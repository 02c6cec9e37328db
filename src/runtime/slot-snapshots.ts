/**
 * The slot's part in checkpoints: writes what its subtasks have frozen, a slice between two passes over them, and
 * answers when all of it is written. Callers: the slot loop, subtasks at a barrier. Runs on: the slot's thread.
 * Invariant: a checkpoint is answered or declined at most once, and answered only with every subtask that had not
 * finished before its barrier.
 */
import type { Clock } from '../base/clock.js';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import {
  type CheckpointFile,
  type CheckpointTrigger,
  NO_KEY_GROUP,
  type PieceLocation,
  type SinkCommit,
  type SlotSnapshot,
  type StatePiece,
  type SubtaskSnapshot,
} from '../checkpoint/contract.js';
import type { TaskSnapshot } from '../operator/contract.js';
import type { KeptTable } from '../state/state-writer.js';
import type { FrozenSubtask, SnapshotCollector } from './subtask-barrier.js';

const ABANDONED = 'A part of the job failed while it was taken.';
const OVERTAKEN = 'A later checkpoint overtook it in this slot.';
/**
 * Entries written between two passes over the subtasks. Rows that come between two slices pay for each entry that they
 * touch before it is written, so small slices cost more in all than they spare each of them.
 */
const SLICE_ENTRIES = 16_384;

/** Where the pieces of one checkpoint go: into the one file of the slot, or into the answer itself. */
export interface PieceWriter {
  write(piece: Omit<StatePiece, 'at'>, bytes: Uint8Array): PieceLocation;
  /** All pieces are written: the file that holds them, null when none was needed. */
  seal(): CheckpointFile | null;
  /** Gives the file up. */
  abort(): void;
}

/** What the slot says of a checkpoint. */
export interface SnapshotReports {
  acknowledged(snapshot: SlotSnapshot): void;
  /** What the state of a subtask is in, before a checkpoint is acknowledged that others may build on. */
  tables?(tables: readonly KeptTable[]): void;
  /** `commits` are what sinks had prepared all the same. */
  declined(checkpoint: number, error: WireError, commits: readonly SinkCommit[]): void;
}

/** A subtask of the slot, by vertex and index. */
interface Member {
  readonly parts: { readonly vertexId: number; readonly index: number };
}

/** What a slot's snapshots are made of. */
export interface SlotSnapshotsParts {
  readonly slot: number;
  readonly clock: Clock;
  openWriter(trigger: CheckpointTrigger): PieceWriter;
  readonly reports: SnapshotReports;
}

/** A checkpoint that the slot works on. */
interface Work {
  readonly id: number;
  /** Subtasks that have neither frozen their state nor finished. */
  readonly missing: Set<string>;
  readonly frozen: FrozenSubtask[];
  readonly written: SubtaskSnapshot[];
  writer: PieceWriter | null;
  /** What has been written of the first that is frozen; null before it is begun. */
  writing: Writing | null;
}

/** What is being written of the first frozen subtask of a checkpoint. */
interface Writing {
  readonly pieces: StatePiece[];
  readonly startMs: number;
  bytes: number;
}

/** A snapshot that is written, of a checkpoint that has not completed. */
interface Unconfirmed {
  readonly id: number;
  readonly vertex: number;
  readonly state: TaskSnapshot;
}

/** Collects and writes the snapshots of one slot. */
export class SlotSnapshots implements SnapshotCollector {
  readonly #parts: SlotSnapshotsParts;
  /** By id, lowest first. */
  readonly #works: Work[] = [];
  /** The newest checkpoint that was answered or declined. */
  #lastId = 0;
  #unconfirmed: readonly Unconfirmed[] = [];
  #completed = 0;
  /** Subtasks that have not finished. */
  live: readonly Member[] = [];
  /** What sinks prepared for checkpoints that had been declined by then, by subtask: it goes with the next one. */
  readonly #carried = new Map<string, readonly SinkCommit[]>();

  constructor(parts: SlotSnapshotsParts) {
    this.#parts = parts;
  }

  isWriting(vertex: number, subtask: number): boolean {
    return this.#works.some(({ frozen }) =>
      frozen.some((one) => one.vertex === vertex && one.subtask === subtask),
    );
  }

  add(frozen: FrozenSubtask): void {
    const key = keyOf(frozen.vertex, frozen.subtask);
    const work = this.#workOf(frozen.trigger.id);
    if (work === null) return this.drop(frozen);
    const commits = this.#withCarried(key, frozen.commits);
    work.missing.delete(key);
    work.frozen.push({ ...frozen, commits });
  }

  drop({ vertex, subtask, state, commits }: FrozenSubtask): void {
    const key = keyOf(vertex, subtask);
    state.abort();
    this.#carried.set(key, this.#withCarried(key, commits));
  }

  /**
   * A subtask has finished without a barrier of the checkpoints under way. Gives what it has prepared and not handed
   * over, which ends with `commits`.
   */
  finished(vertex: number, subtask: number, commits: readonly SinkCommit[]): readonly SinkCommit[] {
    const key = keyOf(vertex, subtask);
    for (const work of this.#works) work.missing.delete(key);
    return this.#withCarried(key, commits);
  }

  #withCarried(key: string, commits: readonly SinkCommit[]): readonly SinkCommit[] {
    const carried = this.#carried.get(key) ?? [];
    this.#carried.delete(key);
    return [...carried, ...commits];
  }

  /** Whether there is anything to write or to say. */
  get isBusy(): boolean {
    return this.#works.some(({ frozen, missing }) => frozen.length > 0 || missing.size === 0);
  }

  /** Writes a slice of what is frozen, and answers when it was the last; answers come in the order of ids. */
  step(): void {
    for (const work of [...this.#works]) {
      try {
        if (work.frozen.length > 0) this.#write(work, work.frozen[0]);
        if (work.frozen.length === 0 && this.#isNext(work)) this.#acknowledge(work);
      } catch (cause) {
        this.#decline(work, cause);
      }
    }
  }

  /** Whether all of a checkpoint is there, and nothing before it is only still to be written. */
  #isNext({ id, missing }: Work): boolean {
    const isWhole = (other: Work): boolean => other.missing.size === 0;
    return missing.size === 0 && !this.#works.some((other) => other.id < id && isWhole(other));
  }

  /** The newest checkpoint that has completed: what comes later holds what has changed since. */
  completed(id: number): void {
    if (id === this.#completed) return;
    this.#completed = id;
    for (const { id: own, state } of this.#unconfirmed) if (own === id) state.confirm();
    this.#unconfirmed = this.#unconfirmed.filter((one) => one.id > id);
  }

  /**
   * Subtasks of these vertices are closed, and begin again from a checkpoint that has completed: what is under way is
   * given up, without what their sinks have prepared.
   */
  forget(isOf: (vertex: number) => boolean): void {
    this.#unconfirmed = this.#unconfirmed.filter(({ vertex }) => !isOf(vertex));
    for (const key of [...this.#carried.keys()]) if (isOf(vertexOf(key))) this.#carried.delete(key);
    for (const work of [...this.#works]) {
      const error = new MillraceError('CHECKPOINT_FAILED', ABANDONED);
      this.#decline(work, error, ({ vertex }) => !isOf(vertex));
    }
  }

  /** Gives up everything that is under way. */
  close(): void {
    for (const work of this.#works.splice(0)) abandon(work);
  }

  /** The checkpoint of this id; null when it is over. A barrier may come before the slot has seen the trigger. */
  #workOf(id: number): Work | null {
    const known = this.#works.find((work) => work.id === id);
    if (known !== undefined) return known;
    if (id <= this.#lastId) return null;
    const members = this.live.map(({ parts }) => keyOf(parts.vertexId, parts.index));
    const missing = new Set(members);
    const work: Work = { id, missing, frozen: [], written: [], writer: null, writing: null };
    this.#works.push(work);
    this.#works.sort((left, right) => left.id - right.id);
    return work;
  }

  /** The slot was told of a checkpoint, of which it may hold no source. */
  begin(id: number): void {
    this.#workOf(id);
  }

  #write(work: Work, frozen: FrozenSubtask): void {
    const { clock } = this.#parts;
    work.writer ??= this.#parts.openWriter(frozen.trigger);
    const { writer } = work;
    work.writing ??= { pieces: [], startMs: clock.monotonicMs(), bytes: 0 };
    const { writing } = work;
    const isDone = frozen.state.step(
      {
        put: (uid, name, keyGroup, bytes, isChanges = false) => {
          const piece = { uid, name, keyGroup, isChanges };
          writing.bytes += bytes.length;
          writing.pieces.push({ ...piece, at: writer.write(piece, bytes) });
        },
      },
      SLICE_ENTRIES,
    );
    if (!isDone) return;
    const { vertex, subtask, source, commits, startDelayMs, alignmentMs, syncMs } = frozen;
    const asyncMs = clock.monotonicMs() - writing.startMs;
    const { pieces } = writing;
    const written = writing.bytes;
    for (const { uid, name, bytes } of frozen.inFlight) {
      const piece = { uid, name, keyGroup: NO_KEY_GROUP, isChanges: false };
      pieces.push({ ...piece, at: writer.write(piece, bytes) });
      writing.bytes += bytes.length;
    }
    const { bytes } = writing;
    const inFlightBytes = bytes - written;
    const timing = { startDelayMs, alignmentMs, syncMs, asyncMs, bytes, inFlightBytes };
    work.written.push({ vertex, subtask, isFinished: false, pieces, source, commits, timing });
    const { tables = [] } = frozen.state;
    if (frozen.trigger.isShared && tables.length > 0) this.#parts.reports.tables?.(tables);
    if (frozen.trigger.kind === 'checkpoint') {
      const { vertex: of, state } = frozen;
      this.#unconfirmed = [...this.#unconfirmed, { id: work.id, vertex: of, state }];
    }
    work.frozen.shift();
    work.writing = null;
  }

  #acknowledge(work: Work): void {
    // Barriers keep their order, so those that were left out before this one do not come any more.
    for (const earlier of this.#works.filter(({ id }) => id < work.id)) {
      this.#decline(earlier, new MillraceError('CHECKPOINT_FAILED', OVERTAKEN));
    }
    const file = work.writer?.seal() ?? null;
    this.#end(work);
    this.#parts.reports.acknowledged({
      checkpoint: work.id,
      slot: this.#parts.slot,
      subtasks: work.written,
      file,
    });
  }

  /** What cannot be written costs the checkpoint, not the job. */
  #decline(
    work: Work,
    cause: unknown,
    counts: (subtask: { readonly vertex: number }) => boolean = () => true,
  ): void {
    abandon(work);
    this.#end(work);
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = MillraceError.is(cause)
      ? cause
      : new MillraceError('CHECKPOINT_FAILED', `State could not be written: ${reason}`, { cause });
    const ofAll = [...work.written, ...work.frozen].filter(counts);
    const commits = ofAll.flatMap((one) => one.commits);
    this.#parts.reports.declined(work.id, toWire(error), commits);
  }

  #end(work: Work): void {
    this.#lastId = Math.max(this.#lastId, work.id);
    this.#works.splice(this.#works.indexOf(work), 1);
  }
}

function abandon(work: Work): void {
  for (const { state } of work.frozen) state.abort();
  work.writer?.abort();
}

function keyOf(vertex: number, subtask: number): string {
  return `${vertex}/${subtask}`;
}

function vertexOf(key: string): number {
  return Number(key.split('/', 1)[0]);
}
