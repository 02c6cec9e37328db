/**
 * Values that are put into states of keys by hand, as rows of the tables that they are kept in. Callers: writers of
 * savepoints. Runs on: any thread; pure. Invariant: rows are those that a job would have made of the value.
 */
import { MillraceError } from '../base/errors.js';
import type { KeyTuple } from '../state/contract.js';
import { CHUNK } from '../state/list-state.js';
import { encodeMapKey } from '../state/map-key.js';
import { LIMIT_MIN } from '../state/map-state.js';
import type { CataloguedOperator, CataloguedState } from './state-catalog.js';
import type { RowLayout, TableRow } from './table-rows.js';

/** What putting a value into a state makes of its tables. */
export interface PutRow {
  readonly part: string;
  readonly row: Omit<TableRow, 'stampMs'>;
}

/** Why entries of a state may not be put and deleted by hand; null when they may. */
export function refusalToEdit(
  { kind }: CataloguedState,
  layout: RowLayout | null,
  { keys, states }: CataloguedOperator,
): string | null {
  if (kind === 'timers') return 'Timers are what a function has registered.';
  if (kind !== 'table') return null;
  const isPlain =
    layout?.columns.every(({ name, form }) => !name.startsWith('$') && form !== 'rows') ?? true;
  const isWhole = layout === null || keys === null || keys === layout.keys.length;
  if (isPlain && isWhole && states.size === 1) return null;
  return 'Its entries depend on each other.';
}

/** The rows that a value of a state is. `layouts` are those of its tables. */
export function rowsOfValue(
  state: CataloguedState,
  layouts: Readonly<Record<string, RowLayout | undefined>>,
  key: KeyTuple,
  value: unknown,
): readonly PutRow[] {
  const row = (part: string, more: readonly unknown[], ...values: readonly unknown[]): PutRow => {
    return { part, row: { key: [...key, ...more], values } };
  };
  const cell = (part: string, given: unknown): unknown =>
    cellOf(state.name, layouts[part]?.columns[0]?.form ?? 'none', given);
  switch (state.kind) {
    case 'value':
      return [row('value', [], cell('value', value))];
    case 'list':
      return listRows(state, layouts, arrayOf(state.name, value), row, cell);
    case 'map':
      return mapRows(state.name, mapOf(state.name, value), row, cell);
    default: {
      const columns = layouts['table']?.columns ?? [];
      const isOne = columns.length === 1 && columns[0]?.name === 'value';
      const cells = columns.map(({ name, form }) =>
        cellOf(`${state.name}.${name}`, form, isOne ? value : Reflect.get(Object(value), name)),
      );
      return [row('table', [], ...cells)];
    }
  }
}

type MakeRow = (part: string, more: readonly unknown[], ...values: readonly unknown[]) => PutRow;

function listRows(
  { tables }: CataloguedState,
  layouts: Readonly<Record<string, RowLayout | undefined>>,
  items: readonly unknown[],
  row: MakeRow,
  cell: (part: string, given: unknown) => unknown,
): readonly PutRow[] {
  if (items.length === 0) return [];
  const elements = items.map((item, at) => row('elements', [at], cell('elements', item)));
  if ('ranges' in tables) return [row('ranges', [], 0, items.length), ...elements];
  const size = row('size', [], items.length);
  if (layouts['elements']?.columns[0]?.form !== 'js') return [size, ...elements];
  const chunks = Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, at) =>
    row('elements', [at], items.slice(at * CHUNK, (at + 1) * CHUNK)),
  );
  return [size, ...chunks];
}

function mapRows(
  state: string,
  map: ReadonlyMap<unknown, unknown>,
  row: MakeRow,
  cell: (part: string, given: unknown) => unknown,
): readonly PutRow[] {
  if (map.size === 0) return [];
  const texts = [...map].map(([key, value]) => ({ text: encodeMapKey(state, key), value }));
  return [
    row('ranges', [], texts.length, Math.max(LIMIT_MIN, 2 * texts.length)),
    ...texts.flatMap(({ text, value }, at) => [
      row('entries', [text], cell('entries', value), at),
      row('order', [at], text),
    ]),
  ];
}

/** What columns hold, for people. */
const FORM_TEXTS: Readonly<Record<string, string>> = {
  f64: 'a number',
  i32: 'a number',
  u8: 'a boolean',
  i64: 'a bigint of 64 bits',
  utf8: 'a text',
};

/** A value as a column of a form holds it. */
function cellOf(
  state: string,
  form: RowLayout['columns'][number]['form'],
  value: unknown,
): unknown {
  switch (form) {
    case 'f64':
    case 'i32':
      if (typeof value === 'number') return value;
      break;
    case 'u8':
      if (typeof value === 'boolean') return value ? 1 : 0;
      if (value === 0 || value === 1) return value;
      break;
    case 'i64':
      if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value;
      if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
      break;
    case 'utf8':
      if (typeof value === 'string') return value;
      break;
    default:
      return value;
  }
  throw misfit(state, FORM_TEXTS[form] ?? form, value);
}

function arrayOf(state: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw misfit(state, 'an array', value);
}

/** JSON has no maps, so an object stands for one whose keys are texts. */
function mapOf(state: string, value: unknown): ReadonlyMap<unknown, unknown> {
  if (value instanceof Map) return value;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return new Map(Object.entries(value));
  }
  throw misfit(state, 'a map', value);
}

function misfit(state: string, wanted: string, value: unknown): MillraceError {
  const what = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  return new MillraceError(
    'VALUE_UNSUPPORTED',
    `State ${JSON.stringify(state)} is given ${what}, but holds ${wanted}.`,
    { advice: 'Give values as `millrace state scan` prints them.' },
  );
}
