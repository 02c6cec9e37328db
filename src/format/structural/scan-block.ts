/**
 * A program in a memory, and the rows it scanned last: numbers and ranges in columns of the memory.
 * Callers: `block-reader.ts`. Runs on: worker. Invariant: marks are all zero before a scan.
 */
import { INPUT_START, PROGRAM_START, type ScanMemory } from './scan-memory.js';
import type { ScanAddresses, ScanProgram } from './scan-program.js';

/** Where the scanner puts the offset behind the last row, in the program. */
const NEXT_AT = (PROGRAM_START + 44) / 4;
const STARTS_AT = (PROGRAM_START + 16) / 4;

/** The values of one step. */
export class BlockColumn {
  /** Numbers and booleans. */
  readonly values: Float64Array;
  /** Start and end in the input buffer, in turn, of what is put as ranges. */
  readonly ranges: Int32Array;
  readonly marks: Uint8Array;
  readonly #words: Int32Array;
  readonly #markedAt: number;

  constructor(memory: ScanMemory, rowsMax: number, addresses: ScanAddresses) {
    this.values = new Float64Array(memory.memory, addresses.values, rowsMax);
    this.ranges = new Int32Array(memory.memory, addresses.values, rowsMax * 2);
    this.marks = new Uint8Array(memory.memory, addresses.marks, rowsMax);
    this.#words = memory.words;
    this.#markedAt = addresses.marked / 4;
    this.marks.fill(0);
  }

  /** Whether any value has a mark. */
  get isMarked(): boolean {
    return this.#words[this.#markedAt] !== 0;
  }

  clear(): void {
    if (!this.isMarked) return;
    this.marks.fill(0);
    this.#words[this.#markedAt] = 0;
  }
}

/** Scans rows of one program in one memory. */
export class ScanBlock {
  readonly rowsMax: number;
  readonly columns: readonly BlockColumn[];
  /** Where each row starts in the input buffer. */
  readonly starts: Int32Array;
  readonly #memory: ScanMemory;
  readonly #scan: ScanMemory['scanJson'];

  /** Puts the program into the memory, in place of any other. */
  constructor(memory: ScanMemory, program: ScanProgram, format: 'json' | 'csv') {
    this.rowsMax = program.rowsMax;
    this.#memory = memory;
    this.#scan = format === 'json' ? memory.scanJson : memory.scanCsv;
    new Uint8Array(memory.memory, PROGRAM_START, program.image.length).set(program.image);
    this.columns = program.columns.map(
      (addresses) => new BlockColumn(memory, program.rowsMax, addresses),
    );
    this.starts = new Int32Array(memory.memory, memory.words[STARTS_AT], program.rowsMax);
    memory.loaded = this;
  }

  /** Whether the memory still holds this program. */
  isLoaded(memory: ScanMemory): boolean {
    return memory === this.#memory && memory.loaded === this;
  }

  /** Scans up to `rowsMax` rows of the buffer; returns how many are as the program says. */
  scan(from: number, end: number, rowsMax: number): number {
    for (let index = 0; index < this.columns.length; index++) this.columns[index].clear();
    const most = Math.min(rowsMax, this.rowsMax);
    return this.#scan(PROGRAM_START, INPUT_START + from, INPUT_START + end, most);
  }

  /** Index in the buffer behind the last row scanned. */
  get next(): number {
    return this.#memory.words[NEXT_AT];
  }
}
