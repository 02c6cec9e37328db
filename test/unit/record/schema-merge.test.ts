import { describe, expect, it } from 'vitest';
import type { DataType, Schema } from '../../../src/record/schema.js';
import { schemaName, typeName } from '../../../src/record/schema.js';
import { fits, mergeSchemas, mergeTypes } from '../../../src/record/schema-merge.js';

const decimal = (precision: number, scale: number): DataType => ({
  kind: 'decimal',
  precision,
  scale,
});

describe('merging', () => {
  it.each<[DataType, DataType, string]>([
    [{ kind: 'int8' }, { kind: 'uint8' }, 'int16'],
    [{ kind: 'uint16' }, { kind: 'int16' }, 'int32'],
    [{ kind: 'uint32' }, { kind: 'int32' }, 'float64'],
    [{ kind: 'float32' }, { kind: 'int8' }, 'float64'],
    [{ kind: 'float64' }, { kind: 'number' }, 'number'],
    [{ kind: 'date' }, { kind: 'timestamp' }, 'timestamp'],
    [{ kind: 'int64' }, { kind: 'number' }, 'any'],
    [{ kind: 'utf8' }, { kind: 'bytes' }, 'any'],
    [decimal(5, 2), decimal(9, 2), 'decimal(9,2)'],
    [decimal(5, 2), decimal(5, 3), 'any'],
  ])('%o with %o gives %s', (a, b, name) => {
    expect(typeName(mergeTypes(a, b))).toBe(name);
    expect(typeName(mergeTypes(b, a))).toBe(name);
  });

  it('makes fields optional that one side lacks, and keeps the order of the first', () => {
    const slot = { type: { kind: 'number' }, nullable: false, optional: false } as const;
    const a: Schema = {
      shape: 'object',
      fields: [
        { name: 'x', ...slot },
        { name: 'y', ...slot },
      ],
    };
    const b: Schema = {
      shape: 'object',
      fields: [
        { name: 'z', ...slot },
        { name: 'y', ...slot },
      ],
    };
    expect(schemaName(mergeSchemas(a, b))).toBe('{ x?: number, y: number, z?: number }');
    expect(fits(a, b)).toBe(false);
    expect(fits(a, mergeSchemas(a, b))).toBe(true);
  });
});
