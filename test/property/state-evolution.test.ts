/**
 * Types of states that have changed between versions of a job: what rules make of older values against a model that
 * edits values as the type was edited, and that nothing comes out that is no value of the type.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitsType } from '../../src/operator/value-fits.js';
import type { DataType, Field } from '../../src/record/schema.js';
import { type Compatibility, compatibility } from '../../src/state/state-evolution.js';
import { expectSame, fields, values } from './record-arbitraries.js';

type Fields = readonly Field[];
type Values = ReadonlyMap<string, unknown>;

/** What a version of a job has changed in a record. */
interface Edit {
  readonly kind: 'add' | 'default' | 'remove' | 'rename' | 'widen' | 'nullable';
  /** Which field, of those that there are. */
  readonly at: number;
  /** Whether what is added may be missing, rather than null. */
  readonly isOptional: boolean;
}

const edits = fc.array(
  fc.record<Edit>({
    kind: fc.constantFrom('add', 'default', 'remove', 'rename', 'widen', 'nullable'),
    at: fc.nat(10),
    isOptional: fc.boolean(),
  }),
  { maxLength: 5 },
);

/** A record type and its values after edits. */
interface Edited {
  readonly fields: Fields;
  readonly renames: Record<string, string>;
  readonly defaults: Record<string, unknown>;
  readonly apply: (record: Values) => Values;
}

const WIDER: Readonly<Record<string, DataType>> = {
  int8: { kind: 'int32' },
  uint8: { kind: 'uint32' },
  int16: { kind: 'int64' },
  int32: { kind: 'int64' },
  uint32: { kind: 'number' },
  float32: { kind: 'float64' },
  number: { kind: 'float64' },
  date: { kind: 'timestamp' },
  utf8: { kind: 'any' },
};

function edited(before: Fields, script: readonly Edit[]): Edited {
  return script.reduce<Edited>(edit, {
    fields: before,
    renames: {},
    defaults: {},
    apply: (record) => record,
  });
}

function edit(so: Edited, { kind, at, isOptional }: Edit, step: number): Edited {
  const name = `new${step}`;
  const added = { name, type: { kind: 'utf8' }, nullable: false, optional: false } as const;
  if (kind === 'add') {
    const field = { ...added, nullable: !isOptional, optional: isOptional };
    const apply = (record: Values) =>
      isOptional ? so.apply(record) : new Map([...so.apply(record), [name, null]]);
    return { ...so, fields: [...so.fields, field], apply };
  }
  if (kind === 'default') {
    const apply = (record: Values) => new Map([...so.apply(record), [name, 'given']]);
    return {
      ...so,
      fields: [...so.fields, added],
      defaults: { ...so.defaults, [name]: 'given' },
      apply,
    };
  }
  const field = so.fields[at % so.fields.length];
  // What is new itself is not changed once more: older values know nothing of it.
  if (field === undefined || field.name.startsWith('new')) return so;
  const others = so.fields.filter((one) => one !== field);
  if (kind === 'remove') {
    const apply = (record: Values) => without(so.apply(record), field.name);
    return { ...so, fields: others, apply };
  }
  if (kind === 'nullable') return { ...so, fields: [...others, { ...field, nullable: true }] };
  if (kind === 'rename') {
    const apply = (record: Values) => {
      const now = so.apply(record);
      const rest = without(now, field.name);
      return now.has(field.name) ? new Map([...rest, [name, now.get(field.name)]]) : rest;
    };
    const renames = { ...so.renames, [field.name]: name };
    return { ...so, fields: [...others, { ...field, name }], renames, apply };
  }
  const type = WIDER[field.type.kind];
  if (type === undefined) return so;
  const apply = (record: Values) => {
    const now = so.apply(record);
    const value = now.get(field.name);
    const isBig = type.kind === 'int64' && typeof value === 'number';
    return isBig ? new Map([...now, [field.name, BigInt(value)]]) : now;
  };
  return { ...so, fields: [...others, { ...field, type }], apply };
}

function without(record: Values, name: string): Values {
  return new Map([...record].filter(([known]) => known !== name));
}

function recordOf(all: Values): unknown {
  return Object.fromEntries(all);
}

/** Fields that neither are called like what is added nor contain what the model does not edit. */
const plainFields = fields(1).map((all) =>
  all.filter(({ name }) => name !== '__proto__' && !name.startsWith('new') && !name.includes('.')),
);

const NESTINGS: Readonly<Record<string, (type: DataType) => DataType>> = {
  record: (type) => type,
  list: (type) => ({ kind: 'list', item: { type, nullable: false } }),
  map: (type) => ({ kind: 'map', key: { kind: 'utf8' }, value: { type, nullable: true } }),
};

function convertOf(found: Compatibility): (value: unknown) => unknown {
  if (found.kind === 'incompatible') throw new Error(`It is refused: ${found.problem}`);
  return found.kind === 'asIs' ? (value) => value : found.convert;
}

describe('evolution of the type of a state', () => {
  it('makes of older values what a model makes of them', () => {
    fc.assert(
      fc.property(
        plainFields,
        edits,
        fc.constantFrom(...Object.keys(NESTINGS)),
        fc.gen(),
        (before, script, nesting, given) => {
          const after = edited(before, script);
          const nest = NESTINGS[nesting];
          const [was, is] = [before, after.fields].map((all): DataType => {
            return { kind: 'struct', fields: all };
          });
          const { renames, defaults } = after;
          const state = { name: 'profile', type: nest(is), renames, defaults };
          const written = { name: 'value', form: 'js', type: nest(was) } as const;
          const convert = convertOf(compatibility(written, state, false));
          const record = given(() => values(was));
          const expected = recordOf(after.apply(new Map(Object.entries(record as object))));
          const wrap = (one: unknown): unknown =>
            nesting === 'list' ? [one] : nesting === 'map' ? new Map([['key', one]]) : one;
          expectSame(convert(wrap(record)), wrap(expected));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives values of the type or refuses, whatever the types', () => {
    const small = fields(2).map((all) =>
      all.map((field, index) => ({ ...field, name: 'abcde'[(index * 7 + field.name.length) % 5] })),
    );
    const distinct = small.map((all) => [...new Map(all.map((one) => [one.name, one])).values()]);
    let migrated = 0;
    fc.assert(
      fc.property(distinct, distinct, fc.gen(), (before, after, given) => {
        const was: DataType = { kind: 'struct', fields: before };
        const is: DataType = { kind: 'struct', fields: after };
        const written = { name: 'value', form: 'js', type: was } as const;
        const found = compatibility(written, { name: 'profile', type: is }, false);
        if (found.kind === 'incompatible') return;
        migrated++;
        const value = given(() => values(was));
        fc.pre(fitsType(value, was));
        expect(fitsType(convertOf(found)(value), is)).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(migrated).toBeGreaterThan(100);
  });
});
