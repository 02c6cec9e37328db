/**
 * The records of simulated jobs and the functions that work on them, the same for the engine and for the reference
 * model. Every stream of a simulated job carries the four fields of `Rec`; others come and go and change type in the
 * middle of a stream. Runs on: the test's thread.
 */
import type { Random } from '../../src/base/random.js';

/** A record. */
export interface Rec {
  readonly id: number;
  readonly k: number;
  readonly s: string;
  readonly v: number;
  readonly [other: string]: unknown;
}

/** Texts whose bytes, order and surrogates differ from those of plain ASCII. */
const TEXTS = [
  '',
  'a',
  'ab',
  'ß',
  'Ω',
  '東京',
  '😀',
  '\uffff',
  'e\u0301',
  '\ud800',
  'a'.repeat(40),
];

/** Which kinds of trouble the rows of a source hold. */
export interface SourceShape {
  readonly rows: number;
  readonly splits: number;
  readonly keys: number;
  /** 'odd': keys that are fractions, negative zero, NaN and beyond 32 bits. */
  readonly keyKind: 'small' | 'odd';
  /** Row from which `w` is text instead of a number; null: `w` is absent. */
  readonly textFrom: number | null;
  readonly optional: boolean;
  readonly nulls: boolean;
  readonly nested: boolean;
  /** Bytes of one text field in every hundredth row; 0 for none. */
  readonly bigBytes: number;
}

/** The rows of a source. */
export function makeRows(shape: SourceShape, firstId: number, random: Random): Rec[] {
  const rowsPerSplit = Math.ceil(shape.rows / shape.splits);
  return Array.from({ length: shape.rows }, (_, index): Rec => {
    const id = firstId + index;
    const number = random.below(shape.keys);
    const k = shape.keyKind === 'odd' ? oddKey(number) : number;
    const rec: Record<string, unknown> = {
      id,
      k,
      s: TEXTS[number % TEXTS.length],
      v: (random.below(8001) - 4000) / 4,
    };
    if (shape.textFrom !== null) rec['w'] = index < shape.textFrom ? number / 2 : `text ${number}`;
    // A field that begins with nothing but null is `any` for good, so no split begins so.
    const mayBeNull = index % rowsPerSplit !== 0;
    if (shape.nulls) rec['o'] = mayBeNull && random.below(5) === 0 ? null : random.below(100);
    if (shape.optional && random.below(4) === 0) rec['p'] = `p${random.below(10)}`;
    if (shape.nested)
      rec['n'] = { a: random.below(3) === 0 ? null : id, b: [number, null, TEXTS[number % 5]] };
    if (shape.bigBytes > 0 && index % 100 === 7) rec['big'] = 'x'.repeat(shape.bigBytes) + id;
    return rec as unknown as Rec;
  });
}

function oddKey(number: number): number {
  const special = [-0, 0, Number.NaN, -1.5, 2 ** 31, -(2 ** 40), 1e300];
  return number < special.length ? special[number] : number / 4;
}

/** Set by the run: tells whether a generator is resumed in another step than the one it was started in. */
export const PROBE = { looks: (): number => 0, pendingItems: 0 };

/** Maps, by name. */
export const MAPS = {
  spread: (r: Rec): Rec => ({ ...r, v: r.v + 1 }),
  narrow: (r: Rec): Rec => ({ id: r.id, k: r.k, s: r.s, v: r.v }),
  tag: (r: Rec): Rec => ({ id: r.id, k: r.k, s: `${r.s}!`, v: r.v, tag: r.s.length }),
  late: (r: Rec): Rec => (r.id % 10 === 3 ? { ...r, late: true } : r),
  mixed: (r: Rec): Rec => ({ ...r, w: r.id % 97 === 5 ? `id ${r.id}` : r.id }),
  holes: (r: Rec): Rec => ({
    ...r,
    o: r.id % 3 === 0 ? null : r.v,
    p: r.id % 2 ? 'odd' : undefined,
  }),
  wrap: (r: Rec): Rec => ({ ...r, n: { a: r.v, b: [r.k, null], c: { d: r.s } } }),
  rekey: (r: Rec): Rec => ({ ...r, k: Math.abs(r.id * 31) % 50 }),
} as const;

/** Filters, by name. */
export const FILTERS = {
  most: (r: Rec): boolean => r.id % 7 !== 0,
  some: (r: Rec): boolean => r.id % 5 === 0,
  none: (_: Rec): boolean => false,
  positive: (r: Rec): boolean => r.v > 0,
} as const;

/** FlatMaps, by name. */
export const FLAT_MAPS = {
  drop: (r: Rec): Iterable<Rec> => (r.id % 2 === 0 ? [] : [r]),
  twice: (r: Rec): Iterable<Rec> => [r, { ...r, id: r.id + 1_000_000 }],
  *many(r: Rec): Iterable<Rec> {
    if (r.id % 53 !== 0) return;
    const since = PROBE.looks();
    for (let copy = 0; copy < 150; copy++) {
      if (PROBE.looks() !== since) PROBE.pendingItems++;
      yield { ...r, v: r.v + copy };
    }
  },
  *chunks(r: Rec): Iterable<Rec> {
    if (r.id % 4 === 1) yield r;
    if (r.id % 8 === 1) yield { id: r.id, k: r.k, s: r.s, v: 0, chunk: 1 };
  },
} as const;

export type MapName = keyof typeof MAPS;
export type FilterName = keyof typeof FILTERS;
export type FlatMapName = keyof typeof FLAT_MAPS;

/** A key computed from a record. */
export const keyOf = (r: Rec): string => `${r.id % 5}/${r.s.slice(0, 1)}`;

/** What is the same in all records of a key, negative zero taken for zero. */
export const KEYS_ONLY = {
  k: (r: Rec): Rec => ({ id: Math.floor(r.k) || 0, k: r.k + 0, s: '', v: 0 }),
  s: (r: Rec): Rec => ({ id: r.s.length, k: 0, s: r.s, v: 0 }),
  ks: (r: Rec): Rec => ({ id: r.s.length, k: r.k + 0, s: r.s, v: 0 }),
} as const;

/** Combines two records of a key in a way that does not depend on their order. */
export function combine(a: Rec, b: Rec): Rec {
  return {
    id: Math.min(a.id, b.id),
    k: Math.max(a.k, b.k),
    s: a.s < b.s ? a.s : b.s,
    v: Math.max(a.v, b.v),
  };
}

/** What aggregations give, as a record again. */
export function fromAggregate(row: Readonly<Record<string, unknown>>): Rec {
  const { n, k, s, key, total } = row as {
    n: number;
    k?: number;
    s?: string;
    key?: string;
    total?: number;
  };
  return { id: n, k: (k ?? n % 20) + 0, s: s ?? key ?? '', v: (total ?? n) % 1000 };
}

/**
 * The text of a record by which records are compared: field order and missing fields do not count, and -0 counts as 0,
 * because the key of an update is that of its record, and both are the same key.
 */
export function canonical(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string' || value === null) return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields
    .map(([name, field]) => `${name}:${canonical(field)}`)
    .sort()
    .join(',')}}`;
}
