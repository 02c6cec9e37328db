/**
 * Looks at records for whoever has a tap open, within bounds: of each subtask, so many records in each interval, and so
 * much time for finding them. What is beyond is counted and passed over. Callers: `tap-site.ts`, which loads it when
 * somebody first asks. Runs on: the slot's thread. Invariant: nothing here waits, keeps a batch, or fails the job: what
 * goes wrong ends the tap.
 */
import type { Clock } from '../base/clock.js';
import { toWire } from '../base/errors.js';
import { batchRow } from '../operator/batch-row.js';
import { CodeUnit } from '../operator/code-unit.js';
import type { Expression } from '../operator/expression.js';
import { compileCondition } from '../operator/expression-compiler.js';
import type { Batch } from '../record/batch.js';
import { compileRowReader, type RowReader } from '../record/row-codec.js';
import type { Schema } from '../record/schema.js';
import type { ChangeKind, SeenRecord, TapPlace, TapReport, TapRequest } from './tap-protocol.js';
import {
  type PlacedSite,
  TAP_INTERVAL_MS,
  TAP_TELL_MS,
  type TapSites,
  type TapWatcher,
} from './tap-site.js';

/** Time that a subtask spends at most on a tap in an interval: one per cent. */
const LOOK_MS_MAX = TAP_INTERVAL_MS / 100;
/** Rows between two looks at the clock. */
const ROWS_BETWEEN_LOOKS = 64;
const KINDS: readonly ChangeKind[] = ['+I', '-U', '+U', '-D'];

type Opening = TapRequest & { readonly kind: 'open' };
type Tell = (report: TapReport) => void;

/** The taps of one slot. */
export class SlotTaps {
  readonly #sites: TapSites;
  readonly #tell: Tell;
  readonly #clock: Clock;
  readonly #looks: TapLook[] = [];
  /** When the next interval begins, and when what was seen is told next. */
  #nextMs = 0;
  #nextTellMs = 0;

  constructor(sites: TapSites, tell: Tell, clock: Clock) {
    this.#sites = sites;
    this.#tell = tell;
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return this.#looks.length > 0;
  }

  /** Opens or closes a tap. */
  take(request: TapRequest): void {
    if (request.kind === 'open') this.#open(request);
    else this.#close(request.tap);
  }

  /**
   * Comes often: begins intervals, and tells what was seen, the first of it at once; `isLast` does so in any case. A
   * message wakes a thread that, where there are as many busy slots as cores, takes the time of one of them.
   */
  tell(nowMs: number, isLast: boolean): void {
    if (nowMs >= this.#nextMs) {
      this.#nextMs = nowMs + TAP_INTERVAL_MS;
      for (const look of this.#looks) look.begin();
    }
    if (nowMs < this.#nextTellMs && !isLast) return;
    let hasTold = false;
    for (const look of this.#looks) hasTold = look.tell() || hasTold;
    if (hasTold) this.#nextTellMs = nowMs + TAP_TELL_MS;
  }

  #open(request: Opening): void {
    // Who asks while an attempt begins may be heard twice.
    if (this.#looks.some(({ tap }) => tap === request.tap)) return;
    for (const [index, place] of request.places.entries()) {
      for (const placed of this.#sites.placed) {
        if (!isSame(placed.place, place)) continue;
        this.#looks.push(new TapLook(request, index, placed, this.#tell, this.#clock));
      }
    }
    this.#watch();
  }

  #close(tap: number): void {
    for (let index = this.#looks.length - 1; index >= 0; index--) {
      if (this.#looks[index].tap === tap) this.#looks.splice(index, 1);
    }
    this.#watch();
  }

  /** Gives every place those who look there. */
  #watch(): void {
    for (const { site } of this.#sites.placed) {
      const here = this.#looks.filter((look) => look.site === site);
      const [only] = here;
      if (here.length < 2) site.watcher = only ?? null;
      else site.watcher = { look: (batch) => here.forEach((one) => one.look(batch)) };
    }
  }
}

/** A tap at one place of one subtask. */
class TapLook implements TapWatcher {
  readonly tap: number;
  readonly site: PlacedSite['site'];
  readonly #place: number;
  readonly #subtask: number;
  readonly #sample: number;
  readonly #filter: Expression | null;
  readonly #tell: Tell;
  readonly #clock: Clock;
  #schema: Schema | null = null;
  #find: RowFinder = anyRow;
  #read: RowReader = () => null;
  #isBroken = false;
  /** Of the interval that is under way. */
  #recordsLeft = 0;
  #lookMsLeft = 0;
  #passed = 0;
  #looked = 0;
  #records: SeenRecord[] = [];

  constructor(
    { tap, filter, sample }: Opening,
    place: number,
    { site, subtask }: PlacedSite,
    tell: Tell,
    clock: Clock,
  ) {
    this.tap = tap;
    this.site = site;
    this.#place = place;
    this.#subtask = subtask;
    this.#sample = sample;
    this.#filter = filter;
    this.#tell = tell;
    this.#clock = clock;
    this.begin();
  }

  /** Another interval has begun. */
  begin(): void {
    this.#recordsLeft = this.#sample;
    this.#lookMsLeft = LOOK_MS_MAX;
  }

  look(batch: Batch): void {
    this.#passed += batch.rows;
    if (this.#recordsLeft === 0 || this.#lookMsLeft <= 0 || this.#isBroken) return;
    try {
      this.#search(batch, this.#clock.monotonicMs());
    } catch (error) {
      this.#isBroken = true;
      this.#report(toWire(error));
    }
  }

  /** Whether there was something to tell. */
  tell(): boolean {
    if (this.#passed === 0) return false;
    this.#report(null);
    return true;
  }

  #search(batch: Batch, startMs: number): void {
    if (batch.schema !== this.#schema) this.#adopt(batch.schema);
    let nowMs = startMs;
    const { rows } = batch;
    // Readers know a batch by its identity, and channels fill the same one again.
    const view = { ...batch };
    for (let from = 0; from < rows; ) {
      const to = Math.min(rows, from + ROWS_BETWEEN_LOOKS);
      const row = this.#find(view, from, to);
      this.#looked += Math.min(row + 1, to) - from;
      if (row < to) this.#take(view, row);
      from = Math.min(row + 1, to);
      nowMs = this.#clock.monotonicMs();
      if (this.#recordsLeft === 0 || nowMs - startMs >= this.#lookMsLeft) break;
    }
    this.#lookMsLeft -= nowMs - startMs;
  }

  #adopt(schema: Schema): void {
    this.#find = this.#filter === null ? anyRow : compileFinder(schema, this.#filter);
    this.#read = compileRowReader(schema, null);
    this.#schema = schema;
  }

  #take(batch: Batch, index: number): void {
    const { selection = null, times, kinds } = batch;
    const row = selection === null ? index : selection[index];
    this.#recordsLeft--;
    this.#records.push({
      record: this.#read(batch, row),
      timeMs: times === null ? null : times[row],
      kind: KINDS[kinds === null ? 0 : kinds[row]],
    });
  }

  #report(error: TapReport['error']): void {
    const [passed, looked, records] = [this.#passed, this.#looked, this.#records];
    this.#passed = 0;
    this.#looked = 0;
    this.#records = [];
    const { tap } = this;
    const [place, subtask] = [this.#place, this.#subtask];
    this.#tell({ tap, place, subtask, passed, looked, records, error });
  }
}

/** The first of the rows from `from` that fits; `to` when none before it does. */
type RowFinder = (batch: Batch, from: number, to: number) => number;

function anyRow(_batch: Batch, from: number): number {
  return from;
}

/** Looks for rows on which a condition is true. Throws FIELD_UNKNOWN, TYPE_MISMATCH. */
function compileFinder(schema: Schema, filter: Expression): RowFinder {
  const unit = new CodeUnit();
  const row = batchRow(unit, schema, { time: null, kind: null });
  unit.hoist('batch.selection ?? null', 'selection');
  const loop = unit.body.open('for (let index = from; index < to; index++)');
  loop.line('const row = selection === null ? index : selection[index];');
  const condition = compileCondition(filter, row, unit.at(loop));
  loop.line(`if (${condition}) return index;`);
  const code = unit.print('find', 'batch, from, to', 'to');
  return unit.compile(code, 'millrace:tap.js') as RowFinder;
}

function isSame(one: TapPlace, other: TapPlace): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
