/**
 * The sink that shows records as a table on the terminal. Rows are held for a moment so that
 * columns get their width from what is in them, then drawn; rows that come later keep those widths.
 * Callers: the api. Runs on: the caller's thread. Invariant: at most `rowsMax` rows are drawn, and
 * the line below the table says how many there were.
 */
import { MillraceError } from '../../base/errors.js';
import { didYouMean } from '../../base/nearest-name.js';
import { checkOptionsObject } from '../check-arguments.js';
import type { SinkConnector } from '../contract.js';

/** Options of `print`. */
export interface PrintOptions {
  /** Line above the table. */
  readonly title?: string;
  /** Most rows drawn; default 100, or `limit`. How many more there were is said below the table. */
  readonly rowsMax?: number;
  /**
   * Field by which rows are ordered, the largest first unless `ascending`; shown when the input has
   * ended.
   */
  readonly orderBy?: string;
  readonly ascending?: boolean;
  /** Draws only the first so many rows, on purpose: nothing is said of the others. */
  readonly limit?: number;
  /** Where lines go; default the standard output. */
  readonly writeLine?: (line: string) => void;
  /** Cells of a line; default those of the terminal, any number when the output is no terminal. */
  readonly width?: number;
  /** Whether null values are dimmed by escape sequences; default when the output is a terminal. */
  readonly color?: boolean;
}

/** Options with their defaults filled in. */
export interface PrintSettings {
  readonly title: string | null;
  readonly rowsMax: number;
  readonly orderBy: string | null;
  readonly ascending: boolean;
  readonly limit: number;
  readonly writeLine: (line: string) => void;
  readonly width: number;
  readonly color: boolean;
}

const ROWS_MAX = 100;
const KNOWN = ['title', 'rowsMax', 'orderBy', 'ascending', 'limit', 'writeLine', 'width', 'color'];

/**
 * Prints records as a table.
 *
 * @example
 * stream.to(print({ title: 'Ten worst', orderBy: 'meanDelay', limit: 10 }))
 */
export function print<T = unknown>(options: PrintOptions = {}): SinkConnector<T> {
  checkOptions(options);
  return {
    kind: 'sink',
    type: 'print',
    name: options.title === undefined ? 'print' : `print ${options.title}`,
    host: true,
    parallelism: 1,
    guarantee: 'at-least-once',
    columns: null,
    plan: () => null,
    open: async () => {
      const { PrintWriter } = await import('./print-writer.js');
      return new PrintWriter(printSettings(options));
    },
  };
}

/** Asked for when the job starts, as the terminal may have been resized since the job was built. */
export function printSettings(options: PrintOptions): PrintSettings {
  const { stdout } = process;
  const own = options.writeLine === undefined;
  return {
    title: options.title ?? null,
    // Whoever says how many rows there shall be wants to see them.
    rowsMax: options.rowsMax ?? Math.max(ROWS_MAX, options.limit ?? 0),
    orderBy: options.orderBy ?? null,
    ascending: options.ascending ?? false,
    limit: options.limit ?? Number.POSITIVE_INFINITY,
    writeLine: options.writeLine ?? ((line) => void stdout.write(`${line}\n`)),
    width: options.width ?? (own ? terminalWidth(stdout) : Number.POSITIVE_INFINITY),
    color: options.color ?? (own && stdout.isTTY === true),
  };
}

/** A terminal that does not know its size says 0; nothing is cut off then. */
function terminalWidth({ isTTY, columns }: typeof process.stdout): number {
  return isTTY && columns > 0 ? columns : Number.POSITIVE_INFINITY;
}

function checkOptions(options: PrintOptions): void {
  checkOptionsObject('print', options);
  for (const name of Object.keys(options)) {
    if (KNOWN.includes(name)) continue;
    throw new MillraceError('OPTION_UNKNOWN', `print has no option "${name}".`, {
      advice: didYouMean(name, KNOWN),
    });
  }
  const counts = { rowsMax: options.rowsMax, limit: options.limit, width: options.width };
  for (const [name, value] of Object.entries(counts)) {
    if (value === undefined || (value >= 0 && !Number.isNaN(value))) continue;
    throw new MillraceError('OPTION_INVALID', `print: ${name} cannot be ${value}.`, {
      advice: 'Give a number, 0 or more.',
    });
  }
}
