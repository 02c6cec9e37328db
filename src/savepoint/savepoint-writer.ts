/**
 * Writes a savepoint that is another checkpoint or savepoint changed: without an operator, with another uid, with other
 * state of some keys, with another maximum parallelism. Callers: users through `millrace/state`, `millrace state edit`.
 * Runs on: any thread; a call blocks for its reads and writes. Invariant: what it is made of is only read; the new
 * savepoint is there wholly or not at all; state that nobody changed is the same in it.
 */
import { basename, dirname, join, resolve } from 'node:path';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { nodeDisk } from '../base/node-disk.js';
import { checkpointIdOf, METADATA } from '../checkpoint/checkpoint-paths.js';
import { inFlightPlace } from '../checkpoint/in-flight-pieces.js';
import type { CheckpointManifest } from '../checkpoint/contract.js';
import { NO_KEY_GROUP } from '../checkpoint/contract.js';
import { DurableFiles } from '../checkpoint/durable-files.js';
import { encodeManifest } from '../checkpoint/manifest-bytes.js';
import { SlotFileWriter } from '../checkpoint/slot-file-writer.js';
import { MAX_PARALLELISM_LIMIT } from '../record/key-group.js';
import type { KeyTuple } from '../state/contract.js';
import { keyText } from './key-types.js';
import { OperatorRewrite, type StateEdit } from './operator-rewrite.js';
import { isKeyed, SavepointReader } from './savepoint-reader.js';
import { refusalToEdit } from './state-edits.js';

/** What has become of a savepoint that was written. */
export interface WrittenSavepoint {
  /** Its directory, absolute. */
  readonly path: string;
  /** Keys of states whose entries were put, and deleted. */
  readonly put: number;
  readonly deleted: number;
  /** Keys that were to be deleted, but had nothing. */
  readonly notFound: readonly {
    readonly uid: string;
    readonly state: string;
    readonly key: unknown;
  }[];
  /** Bytes of its files. */
  readonly bytes: number;
}

/**
 * Changes of a checkpoint or savepoint on their way into a new savepoint. Uids are always those of the one that is
 * there, also after they were changed.
 *
 * @example
 * const { path } = SavepointWriter.fromExistingSavepoint('savepoints/savepoint-3f2a91-0b1c2d3e4f5a')
 *   .removeOperator('old-totals')
 *   .changeOperatorIdentifier('totals', 'sums')
 *   .put('totals', 'sum', 'alice', 0)
 *   .withMaxParallelism(256)
 *   .write('savepoints/edited');
 */
export class SavepointWriter {
  readonly #reader: SavepointReader;
  readonly #disk: Disk;
  readonly #removed = new Set<string>();
  readonly #uids = new Map<string, string>();
  readonly #maxParallelism = new Map<string, number>();
  /** By uid and state: by the text of the key. */
  readonly #edits = new Map<string, Map<string, Map<string, StateEdit>>>();

  private constructor(reader: SavepointReader, disk: Disk) {
    this.#reader = reader;
    this.#disk = disk;
  }

  /** Begins with a checkpoint or savepoint, named as `SavepointReader.read` takes it, and throws what that throws. */
  static fromExistingSavepoint(path: string, disk: Disk = nodeDisk): SavepointWriter {
    return new SavepointWriter(SavepointReader.read(path, disk), disk);
  }

  /** Leaves an operator, source or sink out, with all of its state. Throws STATE_NOT_FOUND. */
  removeOperator(uid: string): this {
    this.#check(uid);
    this.#removed.add(uid);
    return this;
  }

  /** Gives an operator, source or sink another uid. Throws STATE_NOT_FOUND, and UID_DUPLICATE for one that is taken. */
  changeOperatorIdentifier(uid: string, to: string): this {
    this.#check(uid);
    const isTaken = this.#reader.operators.some(
      (other) =>
        other.uid !== uid &&
        !this.#removed.has(other.uid) &&
        (this.#uids.get(other.uid) ?? other.uid) === to,
    );
    if (isTaken) {
      throw new MillraceError('UID_DUPLICATE', `The checkpoint has an operator ${quoted(to)}.`, {
        where: { uid: to },
        advice: 'Remove that operator first, or choose another uid.',
      });
    }
    this.#uids.set(uid, to);
    return this;
  }

  /**
   * Deals keyed state to another number of key groups, which bounds the parallelism of every later run: of one
   * operator, or of all. From 1 to 32 768. Operators of one chain need the same. Throws PARALLELISM_INVALID.
   */
  withMaxParallelism(maxParallelism: number, uid?: string): this {
    const isRight =
      Number.isInteger(maxParallelism) &&
      maxParallelism >= 1 &&
      maxParallelism <= MAX_PARALLELISM_LIMIT;
    if (!isRight) {
      throw new MillraceError(
        'PARALLELISM_INVALID',
        `The maximum parallelism cannot be ${maxParallelism}.`,
        { advice: `Give a whole number from 1 to ${MAX_PARALLELISM_LIMIT}.` },
      );
    }
    if (uid !== undefined) this.#check(uid);
    for (const operator of this.#reader.operators) {
      if (uid === undefined || operator.uid === uid) {
        this.#maxParallelism.set(operator.uid, maxParallelism);
      }
    }
    return this;
  }

  /**
   * Sets what a key has of a state: a value, the array of a list, the Map of a map; of broadcast state the value of a
   * key of the map. The key is given as for `SavepointReader.get`. Throws STATE_NOT_FOUND, KEY_UNSUPPORTED,
   * VALUE_UNSUPPORTED, and FEATURE_UNSUPPORTED for what operators keep by themselves in several places.
   */
  put(uid: string, state: string, key: unknown, value: unknown): this {
    return this.#edit(uid, state, key, { value });
  }

  /** Takes away what a key has of a state. Throws as `put` does. */
  delete(uid: string, state: string, key: unknown): this {
    return this.#edit(uid, state, key, null);
  }

  /** Sets the items of an operator's list, of all subtasks together. Throws STATE_NOT_FOUND, OPTION_INVALID. */
  putListState(uid: string, state: string, items: readonly unknown[]): this {
    const { kind } = this.#reader.find(uid, state).state;
    if (kind !== 'operatorList' && kind !== 'unionList') throw otherKind(uid, state, kind);
    this.#editsOf(uid, state).set('', {
      key: [],
      keyGroup: NO_KEY_GROUP,
      given: null,
      to: { value: [...items] },
    });
    return this;
  }

  #edit(uid: string, state: string, given: unknown, to: StateEdit['to']): this {
    const { operator, state: found } = this.#reader.find(uid, state);
    if (found.kind === 'operatorList' || found.kind === 'unionList') {
      throw otherKind(uid, state, found.kind);
    }
    const layout = this.#reader.layoutOf(operator, found, 'table');
    const refusal = refusalToEdit(found, layout, operator);
    if (refusal !== null) {
      throw new MillraceError(
        'FEATURE_UNSUPPORTED',
        `State ${quoted(state)} of ${quoted(uid)} cannot be edited. ${refusal}`,
        { where: { uid }, advice: 'Remove the operator, so that its state begins anew.' },
      );
    }
    const place: { readonly key: KeyTuple; readonly keyGroup: number } = isKeyed(found.kind)
      ? this.#reader.placeOf(operator, found, given)
      : { key: [given], keyGroup: NO_KEY_GROUP };
    const edit = { ...place, given, to };
    // Values that do not fit are told now rather than when everything is written.
    new OperatorRewrite(this.#reader, operator, new Map()).checkEdit(found, edit);
    this.#editsOf(uid, state).set(keyText(place.key), edit);
    return this;
  }

  #editsOf(uid: string, state: string): Map<string, StateEdit> {
    const states = this.#edits.get(uid) ?? new Map<string, Map<string, StateEdit>>();
    this.#edits.set(uid, states);
    const edits = states.get(state) ?? new Map<string, StateEdit>();
    states.set(state, edits);
    return edits;
  }

  #check(uid: string): void {
    const known = this.#reader.operators.map((operator) => operator.uid);
    if (known.includes(uid)) return;
    throw new MillraceError('STATE_NOT_FOUND', `The checkpoint has no operator ${quoted(uid)}.`, {
      where: { file: this.#reader.path, uid },
      advice: didYouMean(uid, known),
    });
  }

  /**
   * Writes the savepoint as a new directory, durably, and closes what it was made of. Throws OUTPUT_EXISTS where
   * something is, and what reading and writing throw; nothing is left behind then.
   */
  write(path: string): WrittenSavepoint {
    const target = resolve(path);
    const files = new DurableFiles(this.#disk, 'always');
    this.#claim(target, files);
    try {
      return this.#writeTo(target, files);
    } catch (error) {
      this.#disk.removeTree(target);
      throw error;
    } finally {
      this.#reader.close();
    }
  }

  #claim(target: string, files: DurableFiles): void {
    const { manifest } = this.#reader;
    if (manifest.pieces.some((piece) => inFlightPlace(piece) !== null)) {
      throw new MillraceError(
        'FEATURE_UNSUPPORTED',
        'The checkpoint holds records that it overtook on their way between subtasks, which a ' +
          'changed copy would lose.',
        { where: { job: manifest.jobName }, advice: 'Change a savepoint of the job instead.' },
      );
    }
    if (checkpointIdOf(basename(target)) !== null) {
      throw new MillraceError(
        'OPTION_INVALID',
        `A savepoint cannot be called ${basename(target)}.`,
        {
          advice: 'Checkpoints of jobs are called so; choose another name.',
        },
      );
    }
    if (this.#disk.stat(target) !== null) {
      throw new MillraceError('OUTPUT_EXISTS', `There is something at ${target} already.`, {
        where: { file: target },
        advice: 'Name a directory that does not exist; savepoints are never written over.',
      });
    }
    files.makeDirectory(target);
  }

  #writeTo(target: string, files: DurableFiles): WrittenSavepoint {
    const { manifest } = this.#reader;
    const directory = basename(target);
    const root = dirname(target);
    const identity = { checkpoint: manifest.id, slot: 0, attempt: manifest.attempt };
    const state = new SlotFileWriter({ disk: this.#disk, root, directory, ...identity });
    const pieces: CheckpointManifest['pieces'][number][] = [];
    const counts = { put: 0, deleted: 0, notFound: [] as WrittenSavepoint['notFound'][number][] };
    try {
      for (const uid of this.#reader.statefulUids()) {
        if (this.#removed.has(uid)) continue;
        const operator = this.#reader.operator(uid);
        if (operator === null) continue;
        const edits = this.#edits.get(uid) ?? new Map<string, Map<string, StateEdit>>();
        const rewrite = new OperatorRewrite(this.#reader, operator, edits);
        const to = this.#uids.get(uid) ?? uid;
        rewrite.write(this.#maxParallelism.get(uid) ?? null, (piece, bytes) => {
          const at = state.write({ ...piece, uid: to }, bytes);
          pieces.push({ ...piece, uid: to, at });
        });
        counts.put += rewrite.put;
        counts.deleted += rewrite.deleted;
        counts.notFound.push(...rewrite.notFound);
      }
    } catch (error) {
      state.abort();
      throw error;
    }
    const file = state.seal();
    if (file !== null) files.syncFile(join(root, file.path));
    const changed = this.#manifest(pieces, file === null ? [] : [file]);
    const metadata = encodeManifest(changed, directory);
    files.write(join(target, `${METADATA}.tmp`), metadata);
    files.syncDirectory(target);
    this.#disk.rename(join(target, `${METADATA}.tmp`), join(target, METADATA));
    files.syncDirectory(target);
    return { path: target, ...counts, bytes: metadata.length + (file?.bytes ?? 0) };
  }

  #manifest(
    pieces: CheckpointManifest['pieces'],
    files: CheckpointManifest['files'],
  ): CheckpointManifest {
    const { manifest } = this.#reader;
    const kept = <R extends { readonly uid: string }>(records: readonly R[]): R[] =>
      records
        .filter(({ uid }) => !this.#removed.has(uid))
        .map((record) => ({ ...record, uid: this.#uids.get(record.uid) ?? record.uid }));
    const operators = manifest.operators.map((record) => {
      const maxParallelism = this.#maxParallelism.get(record.uid) ?? record.maxParallelism;
      return { ...record, maxParallelism };
    });
    return {
      ...manifest,
      kind: 'savepoint',
      operators: kept(operators),
      sources: kept(manifest.sources),
      sinks: kept(manifest.sinks),
      pieces,
      files,
    };
  }
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

function otherKind(uid: string, state: string, kind: string): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    `State ${quoted(state)} of ${quoted(uid)} is ${kind}.`,
    {
      where: { uid },
      advice: 'Lists of operators are set with putListState(), all other state with put().',
    },
  );
}
