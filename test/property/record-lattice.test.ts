import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBatchBuilder } from '../../src/record/batch-builder.js';
import { inferSchema } from '../../src/record/infer.js';
import { compileRowReader, compileRowWriter } from '../../src/record/row-codec.js';
import type { DataType, Field, Schema } from '../../src/record/schema.js';
import { fits, mergeSchemas, sameSchema } from '../../src/record/schema-merge.js';
import { SchemaRegistry, schemaRegistryBytes } from '../../src/record/schema-registry.js';
import { expectSame, fields, samples, schemas } from './record-arbitraries.js';

/** Schemas of one shape with few names, so that fields meet. */
const meetingSchemas: fc.Arbitrary<Schema> = fc.oneof(
  schemas,
  fields(1).map(
    (parts): Schema => ({
      shape: 'object',
      fields: parts.map((field, index) => ({ ...field, name: 'abcde'[index] })),
    }),
  ),
);

/** The schema with all fields in the order of their names, at every level. */
function sorted(schema: Schema): Schema {
  return { shape: schema.shape, fields: sortedFields(schema.fields) };
}

function sortedFields(parts: readonly Field[]): Field[] {
  return parts
    .map((field) => ({ ...field, type: sortedType(field.type) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function sortedType(type: DataType): DataType {
  if (type.kind === 'struct') return { kind: 'struct', fields: sortedFields(type.fields) };
  if (type.kind === 'list') {
    return { kind: 'list', item: { ...type.item, type: sortedType(type.item.type) } };
  }
  if (type.kind !== 'map') return type;
  const value = { ...type.value, type: sortedType(type.value.type) };
  return { kind: 'map', key: sortedType(type.key), value };
}

describe('the lattice of schemas', () => {
  it('is idempotent', () => {
    fc.assert(
      fc.property(meetingSchemas, (a) => {
        expect(mergeSchemas(a, structuredClone(a))).toBe(a);
      }),
    );
  });

  it('is commutative but for the order of fields', () => {
    fc.assert(
      fc.property(meetingSchemas, meetingSchemas, (a, b) => {
        expectSame(sorted(mergeSchemas(a, b)), sorted(mergeSchemas(b, a)));
      }),
      { numRuns: 200 },
    );
  });

  it('is associative', () => {
    fc.assert(
      fc.property(meetingSchemas, meetingSchemas, meetingSchemas, (a, b, c) => {
        const left = mergeSchemas(mergeSchemas(a, b), c);
        const right = mergeSchemas(a, mergeSchemas(b, c));
        expectSame(sorted(left), sorted(right));
      }),
      { numRuns: 200 },
    );
  });

  it('never narrows', () => {
    fc.assert(
      fc.property(meetingSchemas, meetingSchemas, (a, b) => {
        const merged = mergeSchemas(a, b);
        expect(fits(a, merged)).toBe(true);
        expect(fits(b, merged)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('carries the records of both schemas as they are', () => {
    fc.assert(
      fc.property(samples, samples, (a, b) => {
        const merged = mergeSchemas(a.schema, b.schema);
        const records = [...a.records, ...b.records];
        const capacity = Math.max(1, records.length);
        const builder = createBatchBuilder(merged, 1, { capacity, times: false, kinds: false });
        const write = compileRowWriter(merged);
        for (const record of records) expect(write(builder, record)).toBe(null);
        const batch = builder.take();
        const read = compileRowReader(merged, null);
        for (const [row, record] of records.entries()) {
          expectSame(read(batch, row), record);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is what inference moves in: records in parts need what they need together', () => {
    fc.assert(
      fc.property(samples, fc.nat(), ({ records }, cut) => {
        fc.pre(records.length > 1);
        const at = 1 + (cut % (records.length - 1));
        const parts = mergeSchemas(
          inferSchema(records.slice(0, at)),
          inferSchema(records.slice(at)),
        );
        expectSame(sorted(inferSchema(records)), sorted(parts));
      }),
    );
  });
});

describe('the registry', () => {
  it('gives all its instances the same history, which only widens', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            schema: meetingSchemas,
            stream: fc.integer({ min: 0, max: 2 }),
            by: fc.integer({ min: 0, max: 1 }),
          }),
          { maxLength: 12 },
        ),
        (proposals) => {
          const memory = new SharedArrayBuffer(schemaRegistryBytes(3));
          const registries = [new SchemaRegistry(memory), new SchemaRegistry(memory)];
          for (const { schema, stream, by } of proposals) {
            const before = registries[1 - by].stream(stream).current();
            const agreed = registries[by].stream(stream).propose(schema);
            expect(fits(schema, agreed.schema)).toBe(true);
            if (before !== null) expect(fits(before.schema, agreed.schema)).toBe(true);
            const seen = registries[1 - by].stream(stream).get(agreed.version);
            expect(sameSchema(seen, agreed.schema)).toBe(true);
          }
        },
      ),
    );
  });
});
