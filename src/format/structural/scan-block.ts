/**
 * A program in a memory, and the rows it scanned last: numbers and ranges in columns of the memory.
 * Callers: `block-reader.ts`. Runs on: worker. Invariant: before a scan all marks are zero, and
 * so are the values within objects, as the scanner puts none where there is no object.
 */
import { INPUT_START, PROGRAM_START, type ScanMemory } from './scan-memory.js';
import type { ScanAddresses, ScanProgram } from './scan-program.js';

/** Where the scanner puts what became of the lanes, in the program. */
const SECOND_NEXT_AT = (PROGRAM_START + 44) / 4;
const FIRST_NEXT_AT = (PROGRAM_START + 48) / 4;
const SECOND_ROWS_AT = (PROGRAM_START + 52) / 4;
const FIRST_PASSED_AT = (PROGRAM_START + 80) / 4;
const SECOND_PASSED_AT = (PROGRAM_START + 84) / 4;
/** Fewer rows are scanned in one lane. */
const LANE_ROWS_MIN = 16;
/** Share of a lane that it is expected to fill, so that rows a little shorter than usual fit. */
const LANE_SHARE = 15 / 16;
const NEWLINE = 0x0a;
/** The dictionary up to its texts: what is zero while it is empty. */
const DICTIONARY_WORDS = 18_496 / 4;
const CODES_BYTES = 64;
const STARTS_AT = (PROGRAM_START + 16) / 4;

/** The texts of a step that have codes, shared by the lanes. */
export class ScanDictionary {
  /** Whether codes are given. */
  isUsed = true;
  /** Whether the codes of the last scan are those of the texts now in it. */
  isValid = false;
  readonly #words: Int32Array;
  readonly #place: Int32Array;

  constructor(memory: ScanMemory, { dictionary, marked }: ScanAddresses) {
    this.#words = new Int32Array(memory.memory, dictionary, DICTIONARY_WORDS);
    this.#place = new Int32Array(memory.memory, marked + 4, 1);
    this.forget();
  }

  /** Empties the dictionary: codes begin anew. */
  forget(): void {
    this.isValid = false;
    this.#words.fill(0);
    // The code that columns within objects are cleared to, of the empty text.
    this.#words[0] = 1;
  }

  /** Goes on without codes, as texts hardly repeat. */
  drop(): void {
    this.isUsed = false;
    this.#place[0] = 0;
  }
}

/** The values of one step in one lane. */
export class BlockColumn {
  /** Numbers and booleans. */
  readonly values: Float64Array;
  /** Start and end in the input buffer, in turn, of what is put as ranges. */
  readonly ranges: Int32Array;
  readonly marks: Uint8Array;
  /** What codes of texts stand for; null for columns without. */
  readonly dictionary: ScanDictionary | null;
  /** Codes of texts while the dictionary is used, -1 for texts that are not in it. */
  readonly codes: Int32Array;
  readonly #words: Int32Array;
  readonly #markedAt: number;
  readonly #isWithin: boolean;

  /** The values of `rowsMax` rows from a row on. */
  constructor(
    memory: ScanMemory,
    addresses: ScanAddresses,
    dictionary: ScanDictionary | null,
    firstRow: number,
    rowsMax: number,
  ) {
    const { values, marks, marked, within } = addresses;
    this.values = new Float64Array(memory.memory, values + firstRow * 8, rowsMax);
    this.ranges = new Int32Array(memory.memory, values + firstRow * 8, rowsMax * 2);
    this.marks = new Uint8Array(memory.memory, marks + firstRow, rowsMax);
    this.dictionary = dictionary;
    const codes = addresses.dictionary + CODES_BYTES + firstRow * 4;
    this.codes = new Int32Array(memory.memory, codes, dictionary === null ? 0 : rowsMax);
    this.#words = memory.words;
    this.#markedAt = marked / 4;
    this.#isWithin = within;
    this.marks.fill(0);
  }

  /** Whether any value has a mark. */
  get isMarked(): boolean {
    return this.#words[this.#markedAt] !== 0;
  }

  /** Makes ready for the next scan. */
  clear(): void {
    if (this.dictionary !== null) this.dictionary.isValid = true;
    if (this.#isWithin) {
      this.values.fill(0);
      this.codes.fill(0);
    }
    if (!this.isMarked) return;
    this.marks.fill(0);
    this.#words[this.#markedAt] = 0;
  }
}

/** Rows that follow each other. */
export interface BlockLane {
  readonly columns: readonly BlockColumn[];
  /** Where each row starts in the input buffer. */
  readonly starts: Int32Array;
  rows: number;
  /** Rows among and behind them that the filter has passed over. */
  passed: number;
  /** Whether a row that is not as the program says ended it. */
  isStopped: boolean;
  /** Index in the buffer behind the last row. */
  next: number;
}

/** Scans rows of one program in one memory. */
export class ScanBlock {
  readonly rowsMax: number;
  /** The rows scanned last: those of the first lane, then those of the second. */
  readonly lanes: readonly [BlockLane, BlockLane];
  readonly #memory: ScanMemory;
  readonly #scan: ScanMemory['scanJson'];
  #rowBytes = 0;

  /** Puts the program into the memory, in place of any other. */
  constructor(memory: ScanMemory, program: ScanProgram, format: 'json' | 'csv') {
    this.rowsMax = program.rowsMax;
    this.#memory = memory;
    this.#scan = format === 'json' ? memory.scanJson : memory.scanCsv;
    new Uint8Array(memory.memory, PROGRAM_START, program.image.length).set(program.image);
    const half = program.rowsMax >> 1;
    const dictionaries = program.columns.map((addresses) =>
      addresses.dictionary === 0 ? null : new ScanDictionary(memory, addresses),
    );
    this.lanes = [
      lane(memory, program, dictionaries, 0, program.rowsMax),
      lane(memory, program, dictionaries, half, half),
    ];
    memory.loaded = this;
  }

  /** Whether the memory still holds this program. */
  isLoaded(memory: ScanMemory): boolean {
    return memory === this.#memory && memory.loaded === this;
  }

  /** Scans up to `rowsMax` rows of the buffer; returns how many are as the program says. */
  scan(from: number, end: number, rowsMax: number): number {
    const [first, second] = this.lanes;
    const { words } = this.#memory;
    for (let index = 0; index < first.columns.length; index++) first.columns[index].clear();
    const half = Math.min(rowsMax, this.rowsMax) >> 1;
    const middle = this.#middle(from, end, half);
    const most = middle < end ? half : Math.min(rowsMax, this.rowsMax);
    const origin = INPUT_START;
    words[FIRST_PASSED_AT] = 0;
    words[SECOND_PASSED_AT] = 0;
    first.rows = this.#scan(PROGRAM_START, origin + from, origin + middle, origin + end, most);
    first.next = words[FIRST_NEXT_AT];
    first.passed = words[FIRST_PASSED_AT];
    first.isStopped = first.rows < most && first.next < middle;
    const goesOn = middle < end && first.next === middle;
    second.rows = goesOn ? words[SECOND_ROWS_AT] : 0;
    second.next = goesOn ? words[SECOND_NEXT_AT] : first.next;
    second.passed = goesOn ? words[SECOND_PASSED_AT] : 0;
    second.isStopped = goesOn && second.rows < most && second.next < end;
    if (first.rows > 0) this.#rowBytes = (first.next - from) / first.rows;
    return first.rows + second.rows;
  }

  /** Where the second lane begins, by what a row takes; the end when there is to be one lane. */
  #middle(from: number, end: number, laneRows: number): number {
    if (laneRows < LANE_ROWS_MIN || this.#rowBytes === 0) return end;
    const bytes = Math.min(this.#rowBytes * laneRows * LANE_SHARE, (end - from) / 2);
    if (bytes < this.#rowBytes * LANE_ROWS_MIN) return end;
    return this.#memory.buffer.indexOf(NEWLINE, from + Math.floor(bytes)) + 1;
  }
}

function lane(
  memory: ScanMemory,
  program: ScanProgram,
  dictionaries: readonly (ScanDictionary | null)[],
  firstRow: number,
  rowsMax: number,
): BlockLane {
  const startsAt = memory.words[STARTS_AT] + firstRow * 4;
  return {
    columns: program.columns.map(
      (addresses, index) =>
        new BlockColumn(memory, addresses, dictionaries[index], firstRow, rowsMax),
    ),
    starts: new Int32Array(memory.memory, startsAt, rowsMax),
    rows: 0,
    passed: 0,
    isStopped: false,
    next: 0,
  };
}
