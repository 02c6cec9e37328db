/**
 * A chain that fails again and again, and goes on from the last snapshot that was confirmed: snapshots begin between
 * two calls, are written one entry at a time while rows go on, hold everything or changes, and come to nothing now and
 * then. What comes of the rows must be the same as without. Callers: `operator-contract.ts`.
 */
import { SeededRandom } from '../../src/base/random.js';
import { STEP_DONE, type SnapshotSource, type TaskSnapshot } from '../../src/operator/contract.js';
import { WATERMARK_MAX } from '../../src/time/watermark.js';
import {
  type ChainParts,
  chainOf,
  type ChainUnderTest,
  type Left,
  untilDone,
} from '../unit/operator/chain-harness.js';
import {
  advanceAgain,
  batchesOf,
  flushAll,
  leftOf,
  type OperatorCase,
  type Piece,
  workOnCalls,
} from './operator-drive.js';

/** What a piece of a snapshot is. */
interface Written {
  readonly uid: string;
  readonly name: string;
  readonly keyGroup: number;
  readonly bytes: Uint8Array;
  readonly isChanges: boolean;
}

/** Where the input stands: at a row of a piece, at the watermark behind it, or at its end. */
interface Place {
  readonly piece: number;
  readonly row: number;
  readonly isAtWatermark: boolean;
  /** The last watermark that the chain was given. */
  readonly seenMs: number | null;
}

/** A snapshot, where it was taken, and what had left by then. */
interface Taken {
  readonly place: Place;
  readonly left: readonly number[];
  readonly pieces: readonly Written[];
}

/** A snapshot under way. */
interface UnderWay {
  readonly snapshot: TaskSnapshot;
  readonly place: Place;
  readonly left: readonly number[];
  readonly full: boolean;
  readonly isSavepoint: boolean;
  readonly pieces: Written[];
}

const START: Place = { piece: 0, row: 0, isAtWatermark: false, seenMs: null };
const FAILURES = 6;
const BUDGET_ROWS = 3;

/** What leaves by each port of a chain with a history of snapshots and failures. */
export function replayed(operatorCase: OperatorCase, seed: number): readonly (readonly Left[])[] {
  return new Replay(operatorCase, seed).run();
}

class Replay {
  readonly #case: OperatorCase;
  readonly #parts: ChainParts;
  readonly #random: SeededRandom;
  readonly #input: readonly (Piece | Omit<Piece, 'batch'>)[];
  #chain: ChainUnderTest;
  #place = START;
  #confirmed: Taken = { place: START, left: [], pieces: [] };
  #savepoint: Taken | null = null;
  #underWay: UnderWay | null = null;
  #failures = 0;

  constructor(operatorCase: OperatorCase, seed: number) {
    this.#case = operatorCase;
    this.#parts = { ...operatorCase.parts(), capacity: 3 };
    this.#random = new SeededRandom(seed);
    const pieces = batchesOf(operatorCase, 5);
    // Event time ends with the input, where there is any.
    const end = operatorCase.watermarks === undefined ? null : WATERMARK_MAX;
    this.#input = [...pieces, { input: 0, watermarkMs: end }];
    this.#chain = chainOf(this.#parts);
  }

  run(): readonly (readonly Left[])[] {
    while (!this.#call()) this.#event();
    flushAll(this.#chain);
    this.#chain.task.close();
    return leftOf(this.#case, this.#chain);
  }

  /** One call of the task; true when the input is at its end. */
  #call(): boolean {
    const { task } = this.#chain;
    const { piece, row, isAtWatermark, seenMs } = this.#place;
    const current = this.#input.at(piece);
    workOnCalls(this.#chain, this.#parts, BUDGET_ROWS, seenMs);
    if (current === undefined) {
      return task.endOfInput({ position: 0 }, BUDGET_ROWS) === STEP_DONE;
    }
    const { input, watermarkMs } = current;
    const next = { piece: piece + 1, row: 0, isAtWatermark: false, seenMs };
    if (isAtWatermark) {
      if (watermarkMs === null) this.#place = next;
      else {
        this.#place = { ...this.#place, seenMs: watermarkMs };
        // From the first operator, since a new instance has to begin there.
        const result = task.advance(watermarkMs, { position: 0 }, BUDGET_ROWS);
        if (result === STEP_DONE) this.#place = { ...next, seenMs: watermarkMs };
      }
      return false;
    }
    const cursor = { position: row };
    const isRead =
      !('batch' in current) || task.step(input, current.batch, cursor, BUDGET_ROWS) === STEP_DONE;
    this.#place = { piece, row: cursor.position, isAtWatermark: isRead, seenMs };
    return false;
  }

  /** What happens between two calls. */
  #event(): void {
    const underWay = this.#underWay;
    const dice = this.#random.below(20);
    if (dice === 0 && this.#failures < FAILURES) return this.#fail();
    if (underWay === null) {
      if (dice < 6) this.#begin();
      return;
    }
    if (dice === 1) {
      underWay.snapshot.abort();
      this.#underWay = null;
      return;
    }
    // Mostly few entries at a time, so that much changes until all are written.
    const entriesMax = dice < 12 ? 1 : 4;
    if (this.#step(underWay, entriesMax)) this.#finish(underWay, dice);
  }

  #step({ snapshot, pieces }: UnderWay, entriesMax: number): boolean {
    const put = (...[uid, name, keyGroup, bytes, isChanges]: Put): void => {
      pieces.push({ uid, name, keyGroup, bytes, isChanges });
    };
    return snapshot.step({ put }, entriesMax);
  }

  #begin(): void {
    const { task } = this.#chain;
    untilDone((cursor) => task.prepareBarrier(cursor, BUDGET_ROWS));
    flushAll(this.#chain);
    const isSavepoint = this.#random.below(6) === 0;
    const full = isSavepoint || this.#random.below(4) === 0;
    this.#underWay = {
      snapshot: task.beginSnapshot(full, !isSavepoint),
      place: this.#place,
      left: this.#chain.ports.map(({ left }) => left.length),
      full,
      isSavepoint,
      pieces: [],
    };
  }

  /** All has been put: the snapshot is kept, or comes to nothing after all. */
  #finish({ snapshot, place, left, full, isSavepoint, pieces }: UnderWay, dice: number): void {
    this.#underWay = null;
    if (dice % 4 === 0) {
      if (dice % 8 === 0) snapshot.abort();
      return;
    }
    if (isSavepoint) {
      this.#savepoint = { place, left, pieces };
      return;
    }
    snapshot.confirm();
    const before = full ? [] : this.#confirmed.pieces;
    const begunAnew = pieces.filter(({ isChanges }) => !isChanges).map(identity);
    const kept = before.filter((piece) => !begunAnew.includes(identity(piece)));
    this.#confirmed = { place, left, pieces: [...kept, ...pieces] };
  }

  /** Everything since the last confirmed snapshot is lost. */
  #fail(): void {
    this.#failures++;
    this.#underWay = null;
    this.#chain.task.close();
    // A job may go on from a savepoint as well, and then its checkpoints build on that.
    if (this.#random.below(2) === 0) this.#confirmed = this.#savepoint ?? this.#confirmed;
    this.#savepoint = null;
    const { place, left, pieces } = this.#confirmed;
    this.#chain.ports.forEach((port, index) => {
      port.builders = [];
      port.left.length = left[index] ?? 0;
    });
    this.#chain = chainOf({ ...this.#parts, from: this.#chain });
    this.#chain.task.restore(sourceOf(pieces));
    this.#place = place;
    workOnCalls(this.#chain, this.#parts, BUDGET_ROWS, place.seenMs);
    if (!place.isAtWatermark) advanceAgain(this.#chain, BUDGET_ROWS, place.seenMs);
  }
}

type Put = Parameters<Parameters<TaskSnapshot['step']>[0]['put']>;

function identity({ uid, name, keyGroup }: Written): string {
  return `${uid}/${name}/${keyGroup}`;
}

function sourceOf(pieces: readonly Written[]): SnapshotSource {
  return { get: (uid, name) => pieces.filter((one) => one.uid === uid && one.name === name) };
}
