import { describe, expect, it } from 'vitest';
import { keptConflict, keptSchema } from '../../../src/operator/kept-schema.js';
import type { DataType, Schema } from '../../../src/record/schema.js';
import { col } from '../../../src/operator/expression-builder.js';
import { op } from './chain-harness.js';

const LEAST = op.aggregate(['k'], { least: { fn: 'min', of: col('t') } });

/** What is kept of records with these types. */
function schemaOf(t: DataType['kind'], k: DataType['kind'] = 'utf8'): Schema {
  const fields = Object.entries({ k, t }).map(([name, kind]) => ({
    name,
    type: { kind } as DataType,
    nullable: true,
    optional: false,
  }));
  return keptSchema(LEAST, { shape: 'object', fields });
}

describe('what an aggregation keeps', () => {
  it('goes on with types that hold what was kept', () => {
    expect(keptConflict(LEAST, schemaOf('int32'), schemaOf('number'))).toBeNull();
    expect(keptConflict(LEAST, schemaOf('null'), schemaOf('date'))).toBeNull();
    expect(keptConflict(LEAST, schemaOf('date'), schemaOf('null'))).toBeNull();
    expect(keptConflict(LEAST, schemaOf('date'), schemaOf('date'))).toBeNull();
  });

  it('does not take days for milliseconds, in what is aggregated nor in keys', () => {
    const aggregated = keptConflict(LEAST, schemaOf('date'), schemaOf('timestamp'));
    expect(aggregated).toEqual({ was: 'least: date', is: 'least: timestamp' });
    expect(keptConflict(LEAST, schemaOf('timestamp'), schemaOf('date'))).not.toBeNull();
    const key = keptConflict(LEAST, schemaOf('number', 'date'), schemaOf('number', 'timestamp'));
    expect(key).toEqual({ was: 'k: date', is: 'k: timestamp' });
  });
});
