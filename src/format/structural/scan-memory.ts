/**
 * WebAssembly memory that holds a reader's input buffer and what the row scanner makes of it, with
 * the scanner over it. Callers: the file reader's window creates it, parsers find it at the cursor.
 * Runs on: worker. Invariant: the memory never grows, so views of it stay valid; a larger buffer is
 * another memory.
 */
import { type CompiledModule, compileModule, instantiate } from '../../base/webassembly.js';
import { POWERS_OF_TEN } from '../bytes/number-bytes.js';
import { SCANNER_MODULE } from './scanner-module.js';

/** Scans rows in two lanes, as the program at an address says; returns how many are in the first. */
type ScanFunction = (
  program: number,
  from: number,
  middle: number,
  end: number,
  rowsMax: number,
) => number;

interface ScannerExports {
  readonly scanJson: ScanFunction;
  readonly scanCsv: ScanFunction;
}

/** Bytes that the scanner compares blocks with, in the order that it knows. */
const BLOCK_CONSTANTS = [0x22, 0x5c, 0x1f, 0x20, 0x7d, 0x2c, 0x0a, 0x7b];
/** Where blocks of them stand, behind the powers of ten. */
const CONSTANTS_START = 192;
const BLOCK_BYTES = 16;
/** Ones with zeros before and behind, of which a block masks the first bytes of another. */
const MASKS_START = CONSTANTS_START + BLOCK_CONSTANTS.length * BLOCK_BYTES;
/** Where the program begins. */
export const PROGRAM_START = 512;
/** Where columns of numbers and ranges begin, and room for the program ends. */
export const OUTPUT_START = 32 * 1024;
/** Where dictionaries of texts begin, and room for the columns ends. */
export const DICTIONARIES_START = OUTPUT_START + 128 * 1024;
/** Columns that may have one, and the bytes of each: see `row-scanner.as`. */
export const DICTIONARIES_MAX = 8;
export const DICTIONARY_BYTES = 88 * 1024;
/** Where the input begins. */
export const INPUT_START = DICTIONARIES_START + DICTIONARIES_MAX * DICTIONARY_BYTES;
/** The scanner reads in blocks, and so a little beyond the buffer. */
const READ_AHEAD_BYTES = 64;

/** The compiled scanner: undefined until it is asked for, null where it cannot be had. */
let scannerModule: CompiledModule | null | undefined;

/** A memory with room for so much input, or null where there is no scanner. */
export function createScanMemory(bufferBytes: number): ScanMemory | null {
  if (scannerModule === undefined) scannerModule = compileModule(SCANNER_MODULE);
  if (scannerModule === null) return null;
  try {
    return new ScanMemory(scannerModule, bufferBytes);
  } catch {
    // Memories reserve far more addresses than bytes, and some hosts limit those.
    return null;
  }
}

/** An input buffer and the scanner over it. */
export class ScanMemory {
  /** The input buffer. */
  readonly buffer: Buffer;
  readonly view: DataView;
  readonly memory: ArrayBuffer;
  readonly words: Int32Array;
  readonly scanJson: ScanFunction;
  readonly scanCsv: ScanFunction;
  /** What was last put into the memory; see `ScanBlock`. */
  loaded: object | null = null;

  constructor(module: CompiledModule, bufferBytes: number) {
    const bytesMax = INPUT_START + bufferBytes + READ_AHEAD_BYTES;
    const { memory, exports } = instantiate<ScannerExports>(module, bytesMax);
    this.memory = memory;
    this.words = new Int32Array(this.memory);
    this.buffer = Buffer.from(this.memory, INPUT_START, bufferBytes);
    this.view = new DataView(this.memory, INPUT_START, bufferBytes);
    this.scanJson = exports.scanJson;
    this.scanCsv = exports.scanCsv;
    new Float64Array(this.memory, 0, POWERS_OF_TEN.length).set(POWERS_OF_TEN);
    const bytes = new Uint8Array(this.memory);
    BLOCK_CONSTANTS.forEach((byte, index) => {
      const start = CONSTANTS_START + index * BLOCK_BYTES;
      bytes.fill(byte, start, start + BLOCK_BYTES);
    });
    bytes.fill(0xff, MASKS_START, MASKS_START + BLOCK_BYTES);
  }
}
