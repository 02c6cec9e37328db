/**
 * Generates the reader of NDJSON rows of one layout: whole keys are compared as constants four
 * bytes at a time, wanted numbers, text and booleans are read in place, unwanted values are skipped
 * (or checked), and nothing is written before the row has turned out to be as predicted. Callers:
 * the NDJSON parser. Runs on: worker; the generated function touches each byte about once and
 * allocates nothing.
 */
import { compileFunction } from 'node:vm';
import type { BatchBuilder } from '../../record/batch-builder.js';
import type { Field } from '../../record/schema.js';
import { GRAMMAR_JSON, POWERS_OF_TEN, parseNumber } from '../bytes/number-bytes.js';
import type { ParseCursor, ValidateMode } from '../bytes/row-parser.js';
import { checkNumber, checkScalar, checkString, checkValue } from './json-check.js';
import { skipNested, skipString } from './json-skip.js';
import { appendJson } from './json-value.js';
import type { LayoutStep, NdjsonLayout } from './ndjson-layout.js';

/** All of the region is read. */
export const FAST_MORE = 0;
/** The builder is full. */
export const FAST_FULL = 1;
/** The row at `cursor.position` is not as predicted; nothing of it has been written. */
const FAST_OTHER = 2;

/** Reads rows into the builder while they are as predicted. */
export type FastReader = (
  bytes: Buffer,
  view: DataView,
  cursor: ParseCursor,
  builder: BatchBuilder,
  rowStarts: Float64Array,
) => number;

/** What generated code calls; its names appear in the code as `h.name`. */
const helpers = {
  appendJson,
  checkNumber,
  checkScalar,
  checkString,
  checkValue,
  parseNumber,
  skipNested,
  skipString,
  giveUp(builder: BatchBuilder, row: number): void {
    for (const column of builder.columns) column.truncate(row);
  },
};

const NULL_WORD = 0x6c6c756e;
const TRUE_WORD = 0x65757274;
const ALSE_WORD = 0x65736c61;

/** How a wanted value is read: in place, or as a range that `appendJson` takes. */
type ReadKind = 'number' | 'text' | 'bool' | 'range';

/** Compiles the reader of a layout. */
export function compileFastReader(
  layout: NdjsonLayout,
  fields: readonly Field[],
  validate: ValidateMode,
): FastReader {
  const code = fastReaderCode(layout, fields, validate);
  const compiled: unknown = compileFunction(
    `return (bytes, view, cursor, builder, rowStarts) => {\n${code}\n};`,
    ['h', 'P10'],
    { filename: 'millrace:ndjson-reader' },
  )(helpers, POWERS_OF_TEN);
  return compiled as FastReader;
}

/** The body of the generated function. */
function fastReaderCode(
  layout: NdjsonLayout,
  fields: readonly Field[],
  validate: ValidateMode,
): string {
  const kinds = fields.map(readKindOf);
  const present = new Set(layout.steps.map((step) => step.column));
  return `const b = bytes;
const capacity = builder.capacity, end = cursor.end, base = cursor.base;
${fields.map((_, index) => bindColumn(index, kinds[index])).join('\n')}
let p = cursor.position, r = builder.rows, c = 0;
while (p < end) {
  if (r === capacity) { builder.rows = r; cursor.position = p; return ${FAST_FULL}; }
  const start = p;
  row: {
${fields.map((_, index) => declare(index, kinds[index])).join('\n')}
${stepsCode(layout, fields, kinds, validate)}
${fields.map((field, index) => (present.has(index) ? '' : absent(field, index))).join('')}
${commitCode(layout, fields, kinds)}
    rowStarts[r] = base + start;
    r++;
    continue;
  }
  builder.rows = r; cursor.position = start; return ${FAST_OTHER};
}
builder.rows = r; cursor.position = p; return ${FAST_MORE};`;
}

function readKindOf(field: Field): ReadKind {
  switch (field.type.kind) {
    case 'number':
    case 'float64':
      return 'number';
    case 'utf8':
      return 'text';
    case 'bool':
      return 'bool';
    default:
      return 'range';
  }
}

function bindColumn(index: number, kind: ReadKind): string {
  const column = `const A${index} = builder.columns[${index}];`;
  return kind === 'number' || kind === 'bool'
    ? `${column} const V${index} = A${index}.values;`
    : column;
}

/** Locals of a field: v value, s and e range, x has escapes, n is null, h has the key. */
function declare(index: number, kind: ReadKind): string {
  const value =
    kind === 'number' || kind === 'bool' ? `v${index} = 0` : `s${index} = 0, e${index} = 0`;
  const escapes = kind === 'text' ? `, x${index} = false` : '';
  return `    let ${value}${escapes}, n${index} = false, h${index} = false;`;
}

/** A field that rows of this layout never have. */
function absent(field: Field, index: number): string {
  return field.optional ? '' : `    if (!h${index}) break row;\n`;
}

function stepsCode(
  layout: NdjsonLayout,
  fields: readonly Field[],
  kinds: readonly ReadKind[],
  validate: ValidateMode,
): string {
  // While all keys so far may be absent, the next one may follow the brace or a comma.
  let first = true;
  const code: string[] = ['    let open = 123;'];
  for (const step of layout.steps) {
    const body = valueCode(step, fields, kinds, validate);
    const has = step.column >= 0 ? `h${step.column} = true; ` : '';
    const test = `b[p] === ${first ? 'open' : 44} && ${matches(step.lead, 1)}`;
    const opened = first && step.optional ? 'open = 44; ' : '';
    const take = `p += ${step.lead.length + 1}; ${has}${opened}`;
    code.push(
      step.optional
        ? `    if (${test}) { ${take}\n${body}\n    }`
        : `    if (!(${test})) break row;\n    ${take}\n    {\n${body}\n    }`,
    );
    if (!step.optional) first = false;
  }
  if (first) code.push('    if (open === 123) break row;');
  code.push(`    if (!(${matches(layout.tail, 0)})) break row;\n    p += ${layout.tail.length};`);
  return code.join('\n');
}

/** A test that the constant `text` (latin1) stands at `p + offset`. */
function matches(text: string, offset: number): string {
  const bytes = Buffer.from(text, 'latin1');
  const tests: string[] = [];
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    tests.push(`view.getInt32(p + ${offset + at}, true) === ${bytes.readInt32LE(at)}`);
  }
  if (at < bytes.length && bytes.length >= 4) {
    // The last word overlaps the one before it rather than be compared byte by byte.
    at = bytes.length - 4;
    tests.push(`view.getInt32(p + ${offset + at}, true) === ${bytes.readInt32LE(at)}`);
    at = bytes.length;
  }
  for (; at < bytes.length; at++) tests.push(`b[p + ${offset + at}] === ${bytes[at]}`);
  return tests.join(' && ');
}

function valueCode(
  step: LayoutStep,
  fields: readonly Field[],
  kinds: readonly ReadKind[],
  validate: ValidateMode,
): string {
  const { column } = step;
  if (column < 0) return validate === 'full' ? checkedCode() : skippedCode();
  const isNull = fields[column].nullable
    ? `if (view.getInt32(p, true) === ${NULL_WORD}) { n${column} = true; p += 4; } else `
    : '';
  switch (kinds[column]) {
    case 'number':
      return `      ${isNull}{\n${numberCode(column)}\n      }`;
    case 'text':
      return `      ${isNull}{\n${textCode(column)}\n      }`;
    case 'bool':
      return `      ${isNull}{\n${boolCode(column)}\n      }`;
    case 'range':
      return `      ${isNull}{ s${column} = p;\n${
        validate === 'full' ? checkedCode() : skippedCode()
      }\n      e${column} = p; }`;
  }
}

/** Numbers of up to nine digits are read here; longer ones and exponents by `parseNumber`. */
function numberCode(column: number): string {
  return `        const t = p;
        let negative = false;
        c = b[p];
        if (c === 45) { negative = true; c = b[++p]; }
        let m = c - 48;
        if (m >>> 0 > 9) break row;
        p++;
        const lead = p;
        while (((c = b[p] - 48) >>> 0) <= 9) { m = (Math.imul(m, 10) + c) | 0; p++; }
        let digits = p - lead + 1, scale = 0;
        if (digits > 1 && b[lead - 1] === 48) break row;
        if (c === -2) {
          const fraction = ++p;
          while (((c = b[p] - 48) >>> 0) <= 9) { m = (Math.imul(m, 10) + c) | 0; p++; }
          scale = p - fraction;
          if (scale === 0) break row;
          digits += scale;
        }
        if (digits > 9 || c === 53 || c === 21) {
          p = h.checkNumber(b, t);
          if (p < 0) break row;
          v${column} = h.parseNumber(b, t, p, ${GRAMMAR_JSON});
          if (v${column} !== v${column}) break row;
        } else {
          v${column} = scale === 0 ? m : m / P10[scale];
          if (negative) v${column} = -v${column};
        }`;
}

/** Walks four bytes at a time while none is a quote, a backslash or a control character. */
const PLAIN_TEXT = `for (;;) {
          const w = view.getInt32(p, true), q = w ^ 0x22222222, k = w ^ 0x5c5c5c5c;
          const hit = ((q - 0x01010101) & ~q) | ((k - 0x01010101) & ~k) | ((w - 0x20202020) & ~w);
          if (hit & 0x80808080) break;
          p += 4;
        }
        while ((c = b[p]) !== 34 && c !== 92 && c >= 32) p++;`;

function textCode(column: number): string {
  return `        if (b[p] !== 34) break row;
        s${column} = ++p;
        ${PLAIN_TEXT}
        if (c !== 34) {
          p = h.checkString(b, s${column} - 1);
          if (p < 0) break row;
          x${column} = true;
          p--;
        }
        e${column} = p++;`;
}

function boolCode(column: number): string {
  return `        if (view.getInt32(p, true) === ${TRUE_WORD}) { v${column} = 1; p += 4; }
        else if (b[p] === 102 && view.getInt32(p + 1, true) === ${ALSE_WORD}) {
          v${column} = 0; p += 5;
        } else break row;`;
}

/** An unwanted value that is only walked over. */
function skippedCode(): string {
  return `      c = b[p];
      if (c === 34) {
        const t = p++;
        ${PLAIN_TEXT}
        if (c !== 34) { p = h.skipString(b, t); if (p < 0) break row; } else p++;
      } else if (c === 123 || c === 91) {
        p = h.skipNested(b, p);
        if (p < 0) break row;
      } else {
        const t = p;
        while (c >= 48 && c <= 57) c = b[++p];
        while (c > 32 && c !== 44 && c !== 125 && c !== 93) c = b[++p];
        if (p === t) break row;
      }`;
}

/** An unwanted value that is checked against the grammar. */
function checkedCode(): string {
  return `      c = b[p];
      if (c === 34) {
        const t = p++;
        ${PLAIN_TEXT}
        if (c !== 34) { p = h.checkString(b, t); if (p < 0) break row; } else p++;
      } else if (c === 123 || c === 91) {
        p = h.checkValue(b, p);
        if (p < 0) break row;
      } else if (c > 48 && c <= 57) {
        const t = p;
        do c = b[++p]; while (c >= 48 && c <= 57);
        if (c === 46 || (c | 32) === 101) { p = h.checkNumber(b, t); if (p < 0) break row; }
      } else {
        p = h.checkScalar(b, p);
        if (p < 0) break row;
      }`;
}

/** Writes the row. What can fail comes first, so that little has to be taken back. */
function commitCode(
  layout: NdjsonLayout,
  fields: readonly Field[],
  kinds: readonly ReadKind[],
): string {
  const optionalSteps = new Set(
    layout.steps.filter((step) => step.optional).map((step) => step.column),
  );
  const order = fields.map((_, index) => index);
  const failing = order.filter((index) => kinds[index] === 'range' || kinds[index] === 'text');
  const safe = order.filter((index) => kinds[index] === 'number' || kinds[index] === 'bool');
  const required = order.filter((index) => !fields[index].optional && optionalSteps.has(index));
  return [
    ...required.map((index) => `    if (!h${index}) break row;`),
    ...[...failing, ...safe].map((index) => writeCode(fields[index], index, kinds[index])),
  ].join('\n');
}

function writeCode(field: Field, index: number, kind: ReadKind): string {
  const missing = field.optional ? `if (!h${index}) A${index}.setMissing(r); else ` : '';
  const isNull = field.nullable ? `if (n${index}) A${index}.setNull(r); else ` : '';
  return `    ${missing}${isNull}${presentCode(index, kind)}`;
}

function presentCode(index: number, kind: ReadKind): string {
  const start = `s${index}`;
  const end = `e${index}`;
  switch (kind) {
    case 'number':
    case 'bool':
      return `V${index}[r] = v${index};`;
    case 'text': {
      // A text with escapes goes the general way, quotes included.
      const decoded = appendRange(index, `${start} - 1`, `${end} + 1`);
      return `if (x${index}) ${decoded} else A${index}.appendBytes(r, b, ${start}, ${end});`;
    }
    case 'range':
      return appendRange(index, start, end);
  }
}

function appendRange(index: number, start: string, end: string): string {
  const append = `h.appendJson(A${index}, r, b, ${start}, ${end})`;
  return `{ if (${append} !== 0) { h.giveUp(builder, r); break row; } }`;
}
