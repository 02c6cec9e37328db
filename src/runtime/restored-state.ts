/**
 * What a subtask is given of a checkpoint: the pieces of its own key groups, and its share of state without keys.
 * Callers: the slot builder. Runs on: the slot's thread. Invariant: over all subtasks of an operator every key group
 * and every item of a list is given exactly once, whatever the parallelism was.
 */
import { type InFlightPlace, inFlightPlace } from '../checkpoint/in-flight-pieces.js';
import type { CheckpointManifest, StatePiece } from '../checkpoint/contract.js';
import { NO_KEY_GROUP } from '../checkpoint/contract.js';
import type { SnapshotSource } from '../operator/contract.js';
import { keyGroupRange } from '../record/key-group.js';
import { dealListItems, operatorStateKind } from '../state/operator-state.js';

type WrittenPiece = CheckpointManifest['pieces'][number];

/** Who is restored. */
export interface RestoredSubtask {
  readonly subtask: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/** The state of a checkpoint, by operator and name. */
export class RestoredState {
  readonly #pieces = new Map<string, Map<string, WrittenPiece[]>>();
  readonly #parallelism = new Map<string, number>();
  readonly #read: (piece: StatePiece) => Uint8Array;

  constructor(
    { pieces, operators }: Pick<CheckpointManifest, 'pieces' | 'operators'>,
    read: (piece: StatePiece) => Uint8Array,
  ) {
    this.#read = read;
    for (const piece of pieces) {
      const names = this.#pieces.get(piece.uid) ?? new Map<string, WrittenPiece[]>();
      this.#pieces.set(piece.uid, names);
      const known = names.get(piece.name);
      if (known === undefined) names.set(piece.name, [piece]);
      else known.push(piece);
    }
    for (const { uid, parallelism } of operators) this.#parallelism.set(uid, parallelism);
  }

  /** Subtasks that an operator had; undefined for one that is new. */
  parallelismOf(uid: string): number | undefined {
    return this.#parallelism.get(uid);
  }

  /** Records on their way to an operator, in an order in which they may be processed. */
  inFlight(uid: string): readonly { readonly place: InFlightPlace; readonly bytes: Uint8Array }[] {
    const pieces = [...(this.#pieces.get(uid)?.values() ?? [])].flat();
    const found = pieces.flatMap((piece) => {
      const place = inFlightPlace(piece);
      return place === null ? [] : [{ place, bytes: this.#read(piece) }];
    });
    const rank = ({ place }: { readonly place: InFlightPlace }): number =>
      place.stage === 'received' ? 0 : 1;
    return found.toSorted((a, b) => rank(a) - rank(b));
  }

  /** What a subtask restores from; `loadedOf` says how many of its pieces by key it has already. */
  sourceFor(
    who: RestoredSubtask,
    loadedOf: (uid: string, name: string) => number = () => 0,
  ): SnapshotSource {
    return {
      get: (uid, name) => {
        const pieces = this.#pieces.get(uid)?.get(name) ?? [];
        if (pieces.some(({ keyGroup }) => keyGroup !== NO_KEY_GROUP)) {
          return this.#readAll(this.keyedPieces(uid, name, who).slice(loadedOf(uid, name)));
        }
        return this.#withoutKeys(uid, name, pieces, who);
      },
    };
  }

  /** The pieces of the key groups of a subtask, in the order in which they build on each other. */
  keyedPieces(uid: string, name: string, who: RestoredSubtask): readonly WrittenPiece[] {
    const { start, end } = keyGroupRange(who.subtask, who.parallelism, who.maxParallelism);
    const pieces = this.#pieces.get(uid)?.get(name) ?? [];
    return pieces.filter(({ keyGroup }) => keyGroup >= start && keyGroup < end);
  }

  *#readAll(
    pieces: readonly WrittenPiece[],
  ): Generator<{ readonly keyGroup: number; readonly bytes: Uint8Array }> {
    for (const piece of pieces) yield { keyGroup: piece.keyGroup, bytes: this.#read(piece) };
  }

  #withoutKeys(
    uid: string,
    name: string,
    pieces: readonly WrittenPiece[],
    { subtask, parallelism }: RestoredSubtask,
  ): Iterable<{ readonly keyGroup: number; readonly bytes: Uint8Array }> {
    const kind = operatorStateKind(name);
    const before = this.#parallelism.get(uid) ?? parallelism;
    if (kind === 'broadcast') {
      // Every subtask has the same; new ones take what one of the others had.
      const own = pieces.find((piece) => piece.subtask === subtask % before) ?? pieces.at(0);
      return this.#readAll(own === undefined ? [] : [own]);
    }
    if (kind !== 'list') return this.#readAll(pieces);
    if (before === parallelism) {
      return this.#readAll(pieces.filter((piece) => piece.subtask === subtask));
    }
    const items = pieces.map((piece) => this.#read(piece));
    return [{ keyGroup: NO_KEY_GROUP, bytes: dealListItems(items, parallelism)[subtask] }];
  }
}
