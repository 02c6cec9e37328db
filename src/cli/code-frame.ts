/**
 * Finds the user's own lines in a stack, and shows such a line with its neighbours. Callers: the error report. Runs on:
 * the main thread. Invariant: a file that cannot be read gives no frame, never another error.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Style } from './style.js';

/** A place in a source file; line and column count from 1. */
export interface CodePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number | null;
}

const LINES_BEFORE = 2;
const LINES_AFTER = 2;
/** Longer lines are cut; minified code has nothing to show. */
const LINE_LENGTH_MAX = 160;
const FRAME = /^\s+at (?:.*?\(|async )?((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):(\d+):(\d+)\)?$/;
const PLACE = /^(.+?):(\d+)(?::(\d+))?$/;

/** The places of a stack that are in the user's own files, innermost first. `engine` holds the engine's directories. */
export function userPlaces(stack: string, engine: readonly string[]): readonly CodePlace[] {
  const places: CodePlace[] = [];
  for (const text of stack.split('\n')) {
    const match = FRAME.exec(text);
    if (match === null) continue;
    const file = pathOf(match[1]);
    const isForeign = /[\\/]node_modules[\\/]/.test(file);
    if (isForeign || engine.some((directory) => file.startsWith(directory))) continue;
    places.push({ file, line: Number(match[2]), column: Number(match[3]) });
  }
  return places;
}

/** The place written as `file:line:column` or `file:line`; null when the text is none. */
export function placeOf(text: string): CodePlace | null {
  const match = PLACE.exec(text);
  if (match === null) return null;
  const column = match[3] === undefined ? null : Number(match[3]);
  return { file: pathOf(match[1]), line: Number(match[2]), column };
}

/** The line of a place with its neighbours and a mark under its column; empty when the file cannot be read. */
export function codeFrame(place: CodePlace, style: Style): readonly string[] {
  const source = linesOf(place.file);
  const line = source[place.line - 1];
  if (line === undefined || line.length > LINE_LENGTH_MAX * 4) return [];
  const first = Math.max(1, place.line - LINES_BEFORE);
  const last = Math.min(source.length, place.line + LINES_AFTER);
  const digits = String(last).length;
  const frame: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = (source[number - 1] ?? '').slice(0, LINE_LENGTH_MAX).trimEnd();
    const isPlace = number === place.line;
    const gutter = `${isPlace ? '>' : ' '} ${String(number).padStart(digits)} |`;
    frame.push(`${isPlace ? style.red(gutter) : style.dim(gutter)} ${text}`.trimEnd());
    if (isPlace && place.column !== null && place.column <= text.length) {
      // Tabs are kept, so that the mark stands below its character at any width of them.
      const indent = text.slice(0, place.column - 1).replace(/[^\t]/g, ' ');
      frame.push(`${style.dim(`  ${' '.repeat(digits)} |`)} ${indent}${style.red('^')}`);
    }
  }
  return frame;
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split(/\r?\n/);
  } catch {
    // The file may be gone, or may never have been one, such as `evalmachine.<anonymous>`.
    return [];
  }
}

function pathOf(text: string): string {
  if (!text.startsWith('file:')) return text;
  try {
    return fileURLToPath(text.replace(/[?#].*$/, ''));
  } catch {
    // A URL with a host is no local path; as it stands it is still the best name of the place.
    return text;
  }
}
