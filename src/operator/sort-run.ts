/**
 * A running sort: takes records as bytes with their keys, on disk what does not fit in memory, and gives them in order.
 * Callers: the chain task and code that `fragments/sort.ts` writes. Runs on: the slot's thread. Invariant: records of
 * equal keys come out as they came in; nothing is left on the disk, whatever ends the job.
 */
import { MillraceError } from '../base/errors.js';
import type { Schema } from '../record/schema.js';
import type { RunCursor } from '../storage/run-cursor.js';
import { RunSorter } from '../storage/run-sorter.js';
import { ScratchFiles } from '../storage/scratch-files.js';
import type { SpillSpace } from './chain-options.js';
import type { OperatorSpec } from './operator-spec.js';
import { withoutKey } from './operator-schema.js';
import { RowLayouts } from './row-layouts.js';
import { type SortForm, sortForm, sortOrders } from './sort-form.js';
import { SortKey } from './sort-key.js';

/** What offsets in memory can reach. */
const MEMORY_BYTES_MAX = 2 ** 31;

/** One sort of one subtask. */
export class SortRun {
  readonly operator: number;
  readonly spec: Extract<OperatorSpec, { kind: 'sort' }>;
  readonly layouts = new RowLayouts();
  readonly key = new SortKey();
  /** Records that this call may still give. */
  left = 0;
  readonly #space: SpillSpace;
  readonly #files: ScratchFiles;
  #forms: readonly SortForm[] | null = null;
  #sorter: RunSorter | null = null;
  #cursor: RunCursor | null = null;

  constructor(operator: number, spec: SortRun['spec'], space: SpillSpace) {
    this.operator = operator;
    this.spec = spec;
    this.#space = space;
    this.#files = new ScratchFiles(space.disk, space.directory);
  }

  /** Memory that it holds. */
  get bytes(): number {
    return this.#sorter?.heldBytes ?? 0;
  }

  /** Takes the schema of the records to come; true when code made for the one before is outdated. */
  adopt(input: Schema): boolean {
    const isNew = this.layouts.adopt(withoutKey(input));
    const orders = sortOrders(this.spec);
    const forms = orders.map((order) => sortForm(this.spec, order, input));
    const known = this.#forms;
    for (const [at, form] of forms.entries()) {
      const before = known?.[at] ?? 'none';
      if (before !== 'none' && form !== 'none' && before !== form)
        throw this.#conflict(before, form);
    }
    this.#forms = forms.map((form, at) => (form === 'none' ? (known?.[at] ?? 'none') : form));
    return isNew;
  }

  #conflict(before: SortForm, now: SortForm): MillraceError {
    const { name, uid } = this.spec;
    return new MillraceError(
      'TYPE_MISMATCH',
      `${JSON.stringify(name)} sorts by ${before} and by ${now}, since records of two kinds came.`,
      { where: { operator: name, uid }, advice: 'Cast what it sorts by to one type.' },
    );
  }

  get #open(): RunSorter {
    if (this.#sorter !== null) return this.#sorter;
    const budgetBytes = Math.min(this.#space.budgetBytes, MEMORY_BYTES_MAX);
    this.#sorter = new RunSorter({ disk: this.#files, directory: '', budgetBytes });
    return this.#sorter;
  }

  /** Memory of the record that was claimed, and before it is sorted. */
  get memory(): Uint8Array {
    return this.#open.bytes;
  }

  get view(): DataView {
    return this.#open.view;
  }

  /** Makes room for a record of so many bytes whose key is in `key`, and gives where it is to be written. */
  claim(bytes: number): number {
    try {
      return this.#open.claim(this.key.bytes, this.key.length, bytes);
    } catch (error) {
      const { name, uid } = this.spec;
      throw MillraceError.is(error) ? error.at({ operator: name, uid }) : error;
    }
  }

  /** Where the next record is; it may be asked for when `hasNext`. */
  get cursor(): RunCursor {
    this.#cursor ??= this.#open.sorted();
    return this.#cursor;
  }

  /** Whether there are records to give. Nothing can be added any more. */
  get hasNext(): boolean {
    return this.#sorter !== null && !this.cursor.isDone;
  }

  /** Gives up what is left. */
  close(): void {
    this.#sorter?.close();
    this.#files.close();
    this.#sorter = null;
    this.#cursor = null;
  }
}
