/**
 * How many rows a generated loop takes in a turn: V8 looks for interrupts, and loads the addresses and lengths of
 * arrays anew, once in a turn, which is a good part of the time where a row is a few statements. Callers: the chain
 * compiler. Runs on: worker, when a chain is compiled; pure. Invariant: what V8 would inline for one row it inlines for
 * all rows of a turn; calls that are left over cost many times what the turn saves.
 */

/** Rows of a turn at most, without and with branches and functions in them, and lines that they make up. */
const STRAIGHT_ROWS_MAX = 16;
const BRANCHING_ROWS_MAX = 4;
/** Rows where functions of the engine are called, whose length is not known. */
const CALLING_ROWS_MAX = 2;
const LINES_MAX = 256;
/** V8 inlines 920 bytes of bytecode into a function; text of functions that only calculate is about as long. */
const INLINED_LENGTH_MAX = 640;
/** No blocks, and nothing that ends the loop. */
const IS_STRAIGHT = /^(?!.*(?:[{}]|\bstop\b|\bend\b))/s;
const CALLED = /([\w$.]+)\(/g;
/** Calls that V8 has instructions for, and those that it does not inline because they hardly ever happen. */
const IS_NO_CALL = /^(?:Math\.\w+|errors\.\w+|pending\d+\.hold)$/;

/** Rows of a turn, and whether one of them may end the loop. */
export interface Turn {
  readonly rows: number;
  readonly mayStop: boolean;
}

/**
 * The turn for the code of one row.
 *
 * @param brief lengths of the texts of functions that only calculate, by the names that the code has for them
 */
export function turnOf(code: string, brief: ReadonlyMap<string, number>): Turn {
  const mayStop = !IS_STRAIGHT.test(code);
  const rows = Math.min(rowsOf(code, mayStop, brief), Math.floor(LINES_MAX / linesOf(code)));
  return { rows: Math.max(1, rows), mayStop };
}

function rowsOf(code: string, mayStop: boolean, brief: ReadonlyMap<string, number>): number {
  let inlined = 0;
  for (const [, name] of code.matchAll(CALLED)) {
    if (IS_NO_CALL.test(name)) continue;
    const length = brief.get(name);
    if (length === undefined) return mayStop ? 1 : CALLING_ROWS_MAX;
    inlined += length;
  }
  if (!mayStop) return STRAIGHT_ROWS_MAX;
  return inlined === 0 ? 1 : Math.min(BRANCHING_ROWS_MAX, Math.floor(INLINED_LENGTH_MAX / inlined));
}

function linesOf(code: string): number {
  return code.split('\n').length;
}
