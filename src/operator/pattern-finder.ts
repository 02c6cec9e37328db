/**
 * Searches bytes for a regular expression, compiled for it. Callers: `expression-parts.ts`, and the code that it
 * generates. Runs on: any thread, when an expression is compiled; the worker, for its rows. Invariant: what is found is
 * what the regular expression finds in the decoded text; those of which that is not sure are left to it.
 */
import { compileFunction } from 'node:vm';
import { count, type PatternPath, type PatternStep, patternPaths } from './pattern-paths.js';
import { byteFrom, PART_END, PART_START } from './text-parts.js';

/** Writes where a group of the first match between `start` and `end` lies; false where there is none. */
export type PatternFinder = (
  range: Int32Array,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
) => boolean;

/** The finder of a group of a pattern; null when bytes cannot be searched for it. */
export function patternFinder(pattern: RegExp, group: number): PatternFinder | null {
  const paths = patternPaths(pattern);
  if (paths === null) return null;
  const sets: Uint8Array[] = [];
  const body = paths.map((path, index) => pathCode(path, `path${index}`, group, sets)).join('\n');
  const code = `'use strict';
return function find(range, bytes, view, start, end) {
  for (let from = start; from <= end; from++) {
${body}
${nextCode(paths)}
  }
  return false;
};`;
  const make = compileFunction(code, ['byteFrom', 'sets'], {
    filename: 'millrace:pattern-finder.js',
  });
  return make(byteFrom, sets) as PatternFinder;
}

/** Code that tries one way from `from` on, and returns when it fits. */
function pathCode(path: PatternPath, label: string, group: number, sets: Uint8Array[]): string {
  const lines: string[] = ['let at = from;'];
  const marks = new Set<number>();
  for (const step of path) {
    if (step.kind === 'mark') {
      if (step.mark >> 1 !== group) continue;
      marks.add(step.mark);
      lines.push(`const mark${step.mark} = at;`);
    } else lines.push(stepCode(step, label, sets));
  }
  const isThere = group === 0 || marks.has(2 * group);
  if (isThere) {
    const [start, end] =
      group === 0 ? ['from', 'at'] : [`mark${2 * group}`, `mark${2 * group + 1}`];
    lines.push(`range[${PART_START}] = ${start};`, `range[${PART_END}] = ${end};`);
  }
  lines.push(`return ${isThere};`);
  return `${label}: {\n${lines.join('\n')}\n}`;
}

function stepCode(
  step: Exclude<PatternStep, { kind: 'mark' }>,
  label: string,
  sets: Uint8Array[],
): string {
  if (step.kind !== 'byte') return `if (at !== ${step.kind}) break ${label};`;
  const { set, repeat } = step;
  const once = `if (at === end || !${hasCode(set, sets)}) break ${label};\nat++;`;
  if (repeat === '') return once;
  const others = set.map((has) => 1 - has);
  const many =
    count(others) === 1
      ? `at = byteFrom(bytes, view, at, end, ${others.indexOf(1)});`
      : `while (at < end && ${hasCode(set, sets)}) at++;`;
  return repeat === '*' ? many : `${once}\n${many}`;
}

/** Code that is true when the byte at `at` is one of a set. */
function hasCode(set: Uint8Array, sets: Uint8Array[]): string {
  if (count(set) === 1) return `(bytes[at] === ${set.indexOf(1)})`;
  return `(sets[${sets.push(set) - 1}][bytes[at]] === 1)`;
}

/** Code that passes over places where no way can begin; they go on behind `from`. */
function nextCode(paths: readonly PatternPath[]): string {
  const heads = paths
    .map((path) => path.find(({ kind }) => kind !== 'mark'))
    .filter((head) => head?.kind !== 'start');
  if (heads.length === 0) return 'break;';
  const bytes = heads.map((head) =>
    head?.kind === 'byte' && head.repeat !== '*' && count(head.set) === 1
      ? head.set.indexOf(1)
      : null,
  );
  const [first] = bytes;
  if (first === null || bytes.some((byte) => byte !== first)) return '';
  return `if (from === end) break;
from = byteFrom(bytes, view, from + 1, end, ${first}) - 1;
if (from === end - 1) break;`;
}

/** Finds once for each entry of a dictionary; `known` has two numbers for each, zero where nothing is known. */
export function findOnce(
  find: PatternFinder,
  known: Int32Array,
  entry: number,
  range: Int32Array,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): boolean {
  const at = 2 * entry;
  if (known[at] === 0) {
    const isFound = find(range, bytes, view, start, end);
    known[at] = isFound ? range[PART_START] + 1 : -1;
    known[at + 1] = range[PART_END];
    return isFound;
  }
  if (known[at] < 0) return false;
  range[PART_START] = known[at] - 1;
  range[PART_END] = known[at + 1];
  return true;
}
