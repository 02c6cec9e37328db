/**
 * Whether values of a state that were written under one type are values of another, and how they become such: as they
 * are, by rules for the fields of records, or by a function of the user. Callers: `table-snapshot.ts` when it loads,
 * the plan of a restore. Runs on: any thread; pure. Invariant: a value that becomes one of the new type by rules loses
 * nothing but fields that the type does not have.
 */
import { MillraceError } from '../base/errors.js';
import { nearestName } from '../base/nearest-name.js';
import { setOwn } from '../record/column-value.js';
import { type DataType, type Field, type Slot, typeName } from '../record/schema.js';
import { mergeTypes, sameType } from '../record/schema-merge.js';
import type { TableColumn } from './contract.js';
import type { StateDescriptor } from './state-handles.js';

/** What becomes of the values of a state, in Flink's words. */
export type Compatibility =
  | { readonly kind: 'asIs' }
  /** `how` tells for people what is done to a value. */
  | {
      readonly kind: 'afterMigration';
      readonly how: readonly string[];
      readonly convert: (value: unknown) => unknown;
    }
  /** `problem` tells why not, and of which field. */
  | {
      readonly kind: 'incompatible';
      readonly field: string | null;
      readonly problem: string;
    };

/** The part of a declaration that says what values are. */
export type EvolvingState = Pick<
  StateDescriptor,
  'name' | 'type' | 'renames' | 'defaults' | 'migrate'
>;

const AS_IS: Compatibility = Object.freeze({ kind: 'asIs' });
const ANY: DataType = Object.freeze({ kind: 'any' });
const INTEGERS = /^u?int(?:8|16|32)$/;
/** Types by the form of columns that were written before the type was. */
const TYPE_OF_FORM: Readonly<Record<string, DataType>> = {
  f64: { kind: 'number' },
  i64: { kind: 'int64' },
  u8: { kind: 'bool' },
  utf8: { kind: 'utf8' },
};

/** The type of the values of a column; null where nobody has said one. */
export function writtenType({ type, form }: TableColumn): DataType | null {
  return type ?? TYPE_OF_FORM[form] ?? null;
}

/**
 * What becomes of values of a column in a state as it is declared now. `isChunked`: it is a list without a time to
 * live, which keeps elements on the heap by the chunk.
 */
export function compatibility(
  written: TableColumn,
  state: EvolvingState,
  isChunked: boolean,
): Compatibility {
  const found = compatibilityOfValues(written, state);
  if (!isChunked || found.kind !== 'afterMigration') return found;
  const wasOnHeap = written.form === 'js';
  if (wasOnHeap !== !isOffHeap(state.type ?? ANY)) {
    return incompatible(null, 'is a list, which keeps elements of these types in different ways');
  }
  if (!wasOnHeap) return found;
  const convert = (chunk: unknown): unknown =>
    (chunk as readonly unknown[]).map((element) => present(found.convert(element)));
  return { ...found, convert };
}

/** A value that was made, which may not be missing. */
export function present(made: unknown): unknown {
  if (made === undefined || made === null) throw new Error(`It gave ${made}.`);
  return made;
}

function compatibilityOfValues(written: TableColumn, state: EvolvingState): Compatibility {
  const was = writtenType(written);
  const is = state.type ?? null;
  const isSame = was === null || is === null ? was === is : sameType(was, is);
  if (isSame) return AS_IS;
  const { migrate } = state;
  if (migrate !== undefined) {
    return {
      kind: 'afterMigration',
      how: ['migrate()'],
      convert: (value) => migrate(value as never),
    };
  }
  // Values of no declared type are whatever they are, and a declaration says what they are from now on.
  if (is === null || is.kind === 'any') return kept(was, is);
  if (was === null || was.kind === 'any') {
    return written.form === 'js' && !isOffHeap(is) ? AS_IS : incompatible(null, 'had no type');
  }
  const found = new Evolution(state).ofType(was, is, '');
  if ('problem' in found) return { kind: 'incompatible', ...found };
  if (found.convert === null && found.how.length === 0) return AS_IS;
  return { kind: 'afterMigration', how: found.how, convert: found.convert ?? same };
}

/** The error for values that do not fit. */
export function incompatibleState(
  uid: string,
  { name, type }: EvolvingState,
  written: TableColumn,
  { field, problem }: Compatibility & { readonly kind: 'incompatible' },
): MillraceError {
  const was = nameOf(writtenType(written));
  const what = field === null ? '' : ` Its field "${field}"`;
  return new MillraceError(
    'STATE_INCOMPATIBLE',
    `State ${JSON.stringify(name)} was written as ${was}, and is now declared as ` +
      `${nameOf(type ?? null)}.${what}${field === null ? ` It ${problem}` : ` ${problem}`}.`,
    {
      where: { uid, ...(field === null ? {} : { field }) },
      advice:
        'Declare renames, defaults or migrate(value) beside the type, or give the state another ' +
        'name, with which it begins empty.',
    },
  );
}

/** Refuses a declaration whose rules say nothing. Throws OPTION_INVALID. */
export function checkEvolution({ name, type, renames, defaults, migrate }: EvolvingState): void {
  const state = JSON.stringify(name);
  const refuse = (problem: string, advice: string): never => {
    throw new MillraceError('OPTION_INVALID', `State ${state}: ${problem}.`, { advice });
  };
  const given = [
    ...(renames === undefined ? [] : ['renames']),
    ...(defaults === undefined ? [] : ['defaults']),
    ...(migrate === undefined ? [] : ['migrate']),
  ];
  const [first, ...others] = given;
  if (first === undefined) return;
  if (type === undefined) {
    refuse(
      `${first} needs the type of the state`,
      'Values are told from older ones by their type.',
    );
  }
  if (migrate !== undefined && others.length > 0) {
    refuse(`it has ${given.join(' and ')}`, 'Let migrate do all, or leave it out.');
  }
  if (migrate !== undefined && typeof migrate !== 'function') {
    refuse('migrate is no function', 'Give a function of the older value that gives the new one.');
  }
  const fields = type === undefined ? [] : pathsOf(type, '');
  for (const path of [...Object.values(renames ?? {}), ...Object.keys(defaults ?? {})]) {
    if (fields.includes(path)) continue;
    const near = nearestName(path, fields);
    refuse(
      `its type has no field "${path}"`,
      near === null ? 'Name fields of the type.' : `Did you mean "${near}"?`,
    );
  }
}

/** Types whose values lie outside of the heap, and so have to be what they are declared as. */
function isOffHeap({ kind }: DataType): boolean {
  return ['number', 'float64', 'int64', 'bool', 'utf8'].includes(kind);
}

function kept(was: DataType | null, is: DataType | null): Compatibility {
  if (was === null || !isOffHeap(was)) return AS_IS;
  return { kind: 'afterMigration', how: [`kept as ${nameOf(is)}`], convert: same };
}

function incompatible(field: string | null, problem: string): Compatibility {
  return { kind: 'incompatible', field, problem };
}

const same = (value: unknown): unknown => value;

function nameOf(type: DataType | null): string {
  return type === null ? 'any' : typeName(type);
}

/** Paths of all fields of a type, as in `address.zip`. */
function pathsOf(type: DataType, at: string): readonly string[] {
  if (type.kind === 'list') return pathsOf(type.item.type, at);
  if (type.kind === 'map') return pathsOf(type.value.type, at);
  if (type.kind !== 'struct') return [];
  return type.fields.flatMap((field) => {
    const path = `${at}${field.name}`;
    return [path, ...pathsOf(field.type, `${path}.`)];
  });
}

/** How values of a type become those of another; a `convert` of null leaves them as they are. */
interface Conversion {
  readonly how: readonly string[];
  readonly convert: ((value: unknown) => unknown) | null;
}

interface Misfit {
  readonly field: string | null;
  readonly problem: string;
}

const UNCHANGED: Conversion = { how: [], convert: null };

/** A field of a record, and the one of the older record that it is made of; null for one that is new. */
interface Part {
  readonly name: string;
  readonly from: string | null;
  readonly convert: Conversion['convert'];
}

/** A record of these fields; those that come to nothing are missing. */
function madeOf(parts: readonly Part[], record: unknown): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const { name, from, convert } of parts) {
    const isThere = from !== null && Object.hasOwn(record as object, from);
    const value: unknown = isThere ? Reflect.get(record as object, from) : undefined;
    const next = convert === null ? value : convert(value);
    if (next !== undefined) setOwn(made, name, next);
  }
  return made;
}

/** Applies the rules of a declaration. Fields within others are named by their paths. */
class Evolution {
  readonly #renames: ReadonlyMap<string, string>;
  readonly #defaults: ReadonlyMap<string, unknown>;

  constructor({ renames = {}, defaults = {} }: EvolvingState) {
    this.#renames = new Map(Object.entries(renames).map(([from, to]) => [to, from]));
    this.#defaults = new Map(Object.entries(defaults));
  }

  /** `path` is that of the value, with a dot behind it. */
  ofType(was: DataType, is: DataType, path: string): Conversion | Misfit {
    if (sameType(was, is)) return UNCHANGED;
    if (was.kind === 'struct' && is.kind === 'struct') {
      return this.#ofFields(was.fields, is.fields, path);
    }
    if (was.kind === 'list' && is.kind === 'list') {
      const item = this.#ofSlot(was.item, is.item, path);
      return over(item, (convert) => (list) => (list as readonly unknown[]).map(convert));
    }
    if (was.kind === 'map' && is.kind === 'map' && sameType(was.key, is.key)) {
      const value = this.#ofSlot(was.value, is.value, path);
      return over(value, (convert) => (map) => {
        const entries = [...(map as ReadonlyMap<unknown, unknown>)];
        return new Map(entries.map(([key, one]) => [key, convert(one)]));
      });
    }
    const how = [`${pathOf(path) ?? 'the value'}: ${typeName(was)} → ${typeName(is)}`];
    if (INTEGERS.test(was.kind) && is.kind === 'int64') {
      return { how, convert: (value) => BigInt(value as number) };
    }
    const isHeld =
      sameType(mergeTypes(was, is), is) || (was.kind === 'number' && is.kind === 'float64');
    if (is.kind === 'any' || isHeld) return { how, convert: null };
    return {
      field: pathOf(path),
      problem: `is ${typeName(is)}, which does not hold every ${typeName(was)}`,
    };
  }

  #ofSlot(was: Slot, is: Slot, path: string): Conversion | Misfit {
    const found = this.ofType(was.type, is.type, path);
    if ('problem' in found) return found;
    if (was.nullable && !is.nullable) {
      return { field: pathOf(path), problem: 'could be null, and may not be so any more' };
    }
    const { convert } = found;
    if (convert === null || !was.nullable) return found;
    return { ...found, convert: (value) => (value === null ? null : convert(value)) };
  }

  #ofFields(was: readonly Field[], is: readonly Field[], path: string): Conversion | Misfit {
    const how: string[] = [];
    const parts: Part[] = [];
    for (const field of is) {
      const { name } = field;
      const at = `${path}${name}`;
      const old = this.#sourceOf(was, name, path);
      const found = old === null ? this.#added(field, at) : this.#ofField(old, field, at);
      if ('problem' in found) return found;
      if (old !== null && old.name !== name) how.push(`${path}${old.name} is called ${at}`);
      how.push(...found.how);
      parts.push({ name, from: old?.name ?? null, convert: found.convert });
    }
    const left = was.filter(({ name }) => parts.every(({ from }) => from !== name));
    how.push(...left.map(({ name }) => `${path}${name} is left out`));
    const isChanged =
      left.length > 0 || parts.some(({ name, from, convert }) => from !== name || convert !== null);
    return { how, convert: isChanged ? (record) => madeOf(parts, record) : null };
  }

  /** The field that a field was before; null for one that is new. */
  #sourceOf(was: readonly Field[], name: string, path: string): Field | null {
    const before = this.#renames.get(`${path}${name}`);
    const renamed = was.find((field) => before !== undefined && `${path}${field.name}` === before);
    return renamed ?? was.find((field) => field.name === name) ?? null;
  }

  #added({ optional, nullable }: Field, at: string): Conversion | Misfit {
    if (this.#defaults.has(at)) {
      const value = this.#defaults.get(at);
      return { how: [`${at} is new, with a default`], convert: () => copyOf(value) };
    }
    if (optional) return { how: [`${at} is new, and missing`], convert: () => undefined };
    if (nullable) return { how: [`${at} is new, and null`], convert: () => null };
    return { field: at, problem: 'is new, is neither nullable nor optional, and has no default' };
  }

  #ofField(was: Field, is: Field, at: string): Conversion | Misfit {
    const found = this.#ofSlot(was, is, `${at}.`);
    if ('problem' in found) return found;
    const { convert } = found;
    const present = convert === null ? null : orMissing(convert);
    if (!was.optional || is.optional) return { how: found.how, convert: present };
    const missing = this.#added(is, at);
    if ('problem' in missing) {
      return { field: at, problem: 'could be missing, and may not be so any more' };
    }
    return {
      how: found.how,
      convert: (value) =>
        value === undefined ? missing.convert?.(value) : convert === null ? value : convert(value),
    };
  }
}

function orMissing(convert: (value: unknown) => unknown): (value: unknown) => unknown {
  return (value) => (value === undefined ? undefined : convert(value));
}

/** A conversion of parts as one of the whole. */
function over(
  part: Conversion | Misfit,
  whole: (convert: (value: unknown) => unknown) => (value: unknown) => unknown,
): Conversion | Misfit {
  if ('problem' in part || part.convert === null) return part;
  return { how: part.how, convert: whole(part.convert) };
}

function pathOf(path: string): string | null {
  return path === '' ? null : path.replace(/\.$/, '');
}

/** Values must not share an object that a function may change in place. */
function copyOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? structuredClone(value) : value;
}
