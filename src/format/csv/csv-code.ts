/**
 * Generates the reader of CSV rows for one order of columns: separators are found four bytes at a
 * time, wanted numbers, dates and texts are read in place, other fields only walked over, and
 * nothing is written before the row has turned out to be well formed. Callers: the CSV parser.
 * Runs on: worker; the generated function touches each byte about once and allocates nothing.
 */
import { compileFunction } from 'node:vm';
import type { BatchBuilder } from '../../record/batch-builder.js';
import type { DataType, Field } from '../../record/schema.js';
import { parseDate, parseInstant } from '../bytes/instant-bytes.js';
import { GRAMMAR_LOOSE, POWERS_OF_TEN, parseNumber } from '../bytes/number-bytes.js';
import type { ParseCursor } from '../bytes/row-parser.js';
import type { CsvCellReader } from './csv-cell.js';
import type { CsvDialect } from './csv-dialect.js';
import { NO_BYTE } from './csv-dialect.js';

/**
 * All complete rows of the region are read, or the next one is not as simple as this reader wants.
 */
export const FAST_OTHER = 0;
/** The builder is full. */
export const FAST_FULL = 1;

/** A column of the file. */
export interface CsvColumn {
  readonly name: string;
  /** Index of the builder's column, or -1 when nobody wants it. */
  readonly target: number;
  /** The type that an unwanted field is checked against, or null when it is not checked. */
  readonly checked: DataType | null;
}

/** Reads rows into the builder while they are simple. */
export type FastCsvReader = (
  bytes: Buffer,
  view: DataView,
  cursor: ParseCursor,
  builder: BatchBuilder,
  rowStarts: Float64Array,
) => number;

/** How a field is read: in place, or as a range that the cell reader takes. */
type ReadKind = 'number' | 'instant' | 'date' | 'text' | 'range';

/** Compiles the reader of a file's columns. The dialect must not trim. */
export function compileFastCsvReader(
  columns: readonly CsvColumn[],
  fields: readonly Field[],
  dialect: CsvDialect,
  cells: CsvCellReader,
): FastCsvReader {
  const helpers = {
    cells,
    parseNumber,
    parseInstant,
    parseDate,
    giveUp(builder: BatchBuilder, row: number): void {
      for (const column of builder.columns) column.truncate(row);
    },
  };
  const types = columns.map((column) => column.checked);
  const code = fastCsvCode(columns, fields, dialect);
  const compiled: unknown = compileFunction(
    `return (bytes, view, cursor, builder, rowStarts) => {\n${code}\n};`,
    ['h', 'P10', 'T'],
    { filename: 'millrace:csv-reader' },
  )(helpers, POWERS_OF_TEN, types);
  return compiled as FastCsvReader;
}

/** The body of the generated function. */
function fastCsvCode(
  columns: readonly CsvColumn[],
  fields: readonly Field[],
  dialect: CsvDialect,
): string {
  const kinds = fields.map((field) => readKindOf(field, dialect));
  const code = new CsvCode(dialect, fields, kinds);
  const targets = new Set(columns.map((column) => column.target));
  const absent = fields.flatMap((_, index) => (targets.has(index) ? [] : [index]));
  const present = fields.flatMap((_, index) => (targets.has(index) ? [index] : []));
  const failing = present.filter((index) => kinds[index] === 'range');
  const safe = present.filter((index) => kinds[index] !== 'range');
  return `const b = bytes;
const capacity = builder.capacity, end = cursor.end, base = cursor.base;
${fields.map((_, index) => bindColumn(index, kinds[index])).join('\n')}
let p = cursor.position, r = builder.rows, c = 0;
while (p < end) {
  if (r === capacity) { builder.rows = r; cursor.position = p; return ${FAST_FULL}; }
  const start = p;
  row: {
${dialect.comment === NO_BYTE ? '' : `    if (b[p] === ${dialect.comment}) break row;\n`}${present
  .map((index) => code.declare(index))
  .join('\n')}
${columns.map((column, index) => code.column(column, index, columns.length)).join('\n')}
${absent.map((index) => (fields[index].optional ? '' : '    break row;\n')).join('')}${[
  ...failing,
  ...safe,
]
  .map((index) => code.commit(index))
  .join('\n')}
${absent.map((index) => `    A${index}.setMissing(r);`).join('\n')}
    rowStarts[r] = base + start;
    r++;
    continue;
  }
  builder.rows = r; cursor.position = start; return ${FAST_OTHER};
}
builder.rows = r; cursor.position = p; return ${FAST_OTHER};`;
}

function readKindOf(field: Field, dialect: CsvDialect): ReadKind {
  switch (field.type.kind) {
    case 'number':
    case 'float64':
      return 'number';
    case 'timestamp':
      return 'instant';
    case 'date':
      return 'date';
    case 'utf8':
      return dialect.latin1 ? 'range' : 'text';
    default:
      return 'range';
  }
}

function bindColumn(index: number, kind: ReadKind): string {
  const column = `const A${index} = builder.columns[${index}];`;
  return kind === 'text' || kind === 'range'
    ? column
    : `${column} const V${index} = A${index}.values;`;
}

/** Writes the parts of the code that depend on the dialect. */
class CsvCode {
  readonly #dialect: CsvDialect;
  readonly #fields: readonly Field[];
  readonly #kinds: readonly ReadKind[];
  /** Whether an empty field is null, the one null that is recognised in place. */
  readonly #emptyIsNull: boolean;
  readonly #otherNulls: boolean;

  constructor(dialect: CsvDialect, fields: readonly Field[], kinds: readonly ReadKind[]) {
    this.#dialect = dialect;
    this.#fields = fields;
    this.#kinds = kinds;
    this.#emptyIsNull = dialect.nulls.some((text) => text.length === 0);
    this.#otherNulls = dialect.nulls.some((text) => text.length > 0);
  }

  /** Locals of a field: v value, s and e range, k kind of cell, n is null. */
  declare(index: number): string {
    const kind = this.#kinds[index];
    const isRange = kind === 'text' || kind === 'range';
    const value = isRange ? `s${index} = 0, e${index} = 0, k${index} = 0` : `v${index} = 0`;
    return `    let ${value}, n${index} = false;`;
  }

  /**
   * Reads one column of the file; `p` goes from its first byte to that of the next column or row.
   */
  column(column: CsvColumn, index: number, count: number): string {
    const isLast = index === count - 1;
    const { target } = column;
    const kind = target < 0 ? null : this.#kinds[target];
    let body: string;
    if (kind === null) body = this.#unwanted(column, index, isLast);
    else if (kind === 'number') body = this.#number(target);
    else if (kind === 'text' || kind === 'range') body = this.#range(target, isLast);
    else body = this.#instant(target, kind, isLast);
    return `    {\n${body}\n${isLast ? ROW_END : this.#separator()}\n    }`;
  }

  commit(index: number): string {
    const kind = this.#kinds[index];
    const { nullable } = this.#fields[index];
    const isNull = nullable ? `if (n${index}) A${index}.setNull(r); else ` : '';
    const range = `r, b, s${index}, e${index}`;
    const written = (cell: string): string =>
      `{ if (h.cells.write(A${index}, ${range}, ${cell}) !== 0) ${GIVE_UP} }`;
    switch (kind) {
      case 'text':
        // Only a text with escapes has to go the general way.
        return `    ${isNull}if (k${index} === 2) ${written('2')}
    else A${index}.appendBytes(${range});`;
      case 'range':
        return `    ${written(`k${index}`)}`;
      default:
        return `    ${isNull}V${index}[r] = v${index};`;
    }
  }

  #separator(): string {
    return `      if (b[p] !== ${this.#dialect.separator}) break row;\n      p++;`;
  }

  /** Walks to the separator or newline, four bytes at a time. */
  #walk(): string {
    const word = Math.imul(this.#dialect.separator, 0x01010101);
    return `for (;;) {
        const w = view.getInt32(p, true), x = w ^ ${word}, y = w ^ 0x0a0a0a0a;
        if ((((x - 0x01010101) & ~x) | ((y - 0x01010101) & ~y)) & 0x80808080) break;
        p += 4;
      }
      while ((c = b[p]) !== ${this.#dialect.separator} && c !== 10) p++;`;
  }

  /** Walks from after an opening quote to the closing one; `onEscape` is run at escapes. */
  #walkQuoted(onEscape: string): string {
    const { quote, escape, multiline } = this.#dialect;
    // Without multiline an escaped newline ends the line like any other, which is not for here.
    const escaped = multiline ? 'true' : 'b[p + 1] !== 10';
    const escapes =
      escape === quote
        ? `if (b[p + 1] === ${quote}) { ${onEscape} p += 2; continue; }`
        : `if (c === ${escape} && ${escaped}) { ${onEscape} p += 2; continue; }`;
    const stops = escape === quote ? `c !== ${quote}` : `c !== ${quote} && c !== ${escape}`;
    const newline = multiline ? '' : ' && c !== 10';
    return `for (;;) {
          while (p < end && (c = b[p], ${stops}${newline})) p++;
          if (p >= end) break row;
          ${escapes}
          if (c !== ${quote}) break row;
          break;
        }`;
  }

  #unwanted(column: CsvColumn, index: number, isLast: boolean): string {
    const { quote } = this.#dialect;
    if (column.checked === null || column.checked.kind === 'utf8') {
      if (quote === NO_BYTE) return `      ${this.#walk()}${back(isLast)}`;
      return `      if (b[p] === ${quote}) {
        p++;
        ${this.#walkQuoted('')}
        p++;
      } else {
      ${this.#walk()}${back(isLast)}
      }`;
    }
    return `      let s = 0, e = 0, k = 0;
${this.#cell('s', 'e', 'k', isLast)}
      if (!h.cells.isValid(T[${index}], b, s, e, k)) break row;`;
  }

  /** Finds the range of a field. */
  #cell(s: string, e: string, k: string, isLast: boolean): string {
    const { quote } = this.#dialect;
    const plain = `      ${s} = p;
      ${this.#walk()}${back(isLast)}
      ${e} = p;`;
    if (quote === NO_BYTE) return plain;
    return `      if (b[p] === ${quote}) {
        ${s} = ++p; ${k} = 1;
        ${this.#walkQuoted(`${k} = 2;`)}
        ${e} = p++;
      } else {
${plain}
      }`;
  }

  #range(index: number, isLast: boolean): string {
    const cell = this.#cell(`s${index}`, `e${index}`, `k${index}`, isLast);
    if (this.#kinds[index] === 'range') return cell;
    const { nullable } = this.#fields[index];
    const act = nullable ? `n${index} = true;` : 'break row;';
    const tests: string[] = [];
    if (this.#emptyIsNull) tests.push(`e${index} === s${index}`);
    if (this.#otherNulls) {
      tests.push(`h.cells.isNull(b, s${index}, e${index}, 0, A${index}.field.type)`);
    }
    if (tests.length === 0) return cell;
    return `${cell}
      if (k${index} === 0 && (${tests.join(' || ')})) ${act}`;
  }

  #instant(index: number, kind: 'instant' | 'date', isLast: boolean): string {
    const { nullable } = this.#fields[index];
    const parse = kind === 'instant' ? 'h.parseInstant' : 'h.parseDate';
    const isNull = nullable && this.#emptyIsNull ? `if (s === e) n${index} = true; else ` : '';
    return `      let s = 0, e = 0, k = 0;
${this.#cell('s', 'e', 'k', isLast)}
      ${isNull}{
        if (k === 2) break row;
        v${index} = ${parse}(b, s, e);
        if (v${index} !== v${index}) { ${this.#otherNull(index, 's', 'e', 'k')} }
      }`;
  }

  /**
   * Numbers of up to nine digits are read here; longer ones, exponents and quoted ones by
   * `parseNumber`.
   */
  #number(index: number): string {
    const { separator, quote } = this.#dialect;
    const { nullable } = this.#fields[index];
    const isNull =
      nullable && this.#emptyIsNull
        ? `if (b[p] === ${separator} || b[p] === 10 || b[p] === 13) n${index} = true; else `
        : '';
    const quotedNull =
      nullable && this.#emptyIsNull ? `if (p !== t) break row; n${index} = true;` : 'break row;';
    const quoted =
      quote === NO_BYTE
        ? ''
        : `if (b[p] === ${quote}) {
        const t = ++p;
        while (p < end && (c = b[p]) !== ${quote} && c !== 10) p++;
        v${index} = h.parseNumber(b, t, p, ${GRAMMAR_LOOSE});
        if (p >= end || c === 10) break row;
        if (v${index} !== v${index}) { ${quotedNull} }
        p++;
      } else `;
    return `      ${isNull}${quoted}{
        const t = p;
        let negative = false;
        c = b[p];
        if (c === 45) { negative = true; c = b[++p]; }
        let m = c - 48;
        if (m >>> 0 > 9) {
          while ((c = b[p]) !== ${separator} && c !== 10 && c !== 13) p++;
          ${this.#otherNull(index, 't', 'p', '0')}
        } else {
        p++;
        const lead = p;
        while (((c = b[p] - 48) >>> 0) <= 9) { m = (Math.imul(m, 10) + c) | 0; p++; }
        let digits = p - lead + 1, scale = 0;
        if (digits > 1 && b[lead - 1] === 48) break row;
        if (c === -2) {
          const fraction = ++p;
          while (((c = b[p] - 48) >>> 0) <= 9) { m = (Math.imul(m, 10) + c) | 0; p++; }
          scale = p - fraction;
          digits += scale;
        }
        if (digits > 9 || c === 53 || c === 21) {
          while ((c = b[p]) !== ${separator} && c !== 10 && c !== 13) p++;
          v${index} = h.parseNumber(b, t, p, ${GRAMMAR_LOOSE});
          if (v${index} !== v${index}) break row;
        } else {
          v${index} = scale === 0 ? m : m / P10[scale];
          if (negative) v${index} = -v${index};
        }
        }
      }`;
  }

  /** What to do with a range that does not spell a value: it may be one of the rarer nulls. */
  #otherNull(index: number, start: string, end: string, kind: string): string {
    const { nullable } = this.#fields[index];
    if (!nullable || !this.#otherNulls) return 'break row;';
    const test = `h.cells.isNull(b, ${start}, ${end}, ${kind}, A${index}.field.type)`;
    return `if (!${test}) break row; n${index} = true;`;
  }
}

/** Forgets what has been written of the row, which is then read the general way. */
const GIVE_UP = '{ h.giveUp(builder, r); break row; }';

/** The end of a row: a newline, with or without a carriage return. */
const ROW_END = `      if (b[p] === 10) p++;
      else if (b[p] === 13 && b[p + 1] === 10) p += 2;
      else break row;`;

/** In the last column the walk has passed the carriage return, if there is one. */
function back(isLast: boolean): string {
  return isLast ? '\n      if (c === 10 && b[p - 1] === 13) p--;' : '';
}
