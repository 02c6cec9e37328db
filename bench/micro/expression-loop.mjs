/** The loop that the chain compiler generates for the five operators of `chain-expr`, beside a loop by hand. */
import { numberRecords } from '../lib/records.mjs';

const ROWS = 1024;
const BATCHES = 16;

/** @type {import('../lib/micro-runner.mjs').Micro} */
export const micro = {
  name: 'expression-loop',
  title: 'map, filter, map, filter, map as generated from expressions and functions',
  modules: [
    'operator/chain-task.ts',
    'operator/computing.ts',
    'operator/expression-builder.ts',
    'record/batch-builder.ts',
    'record/column.ts',
  ],
  unit: 'record',
  perCall: ROWS * BATCHES,
  setup(engine, seed) {
    const records = numberRecords(seed);
    const batches = Array.from({ length: BATCHES }, (_, index) => batchOf(engine, records, index));
    const { col } = engine;
    const select = (columns) => ({
      kind: 'select',
      columns: Object.entries(columns).map(([name, value]) => ({ name, value: value.expression })),
    });
    const where = (predicate) => ({ kind: 'where', predicate: predicate.expression });
    const map = (fn) => ({ kind: 'map', fn, returns: null });
    const filter = (fn) => ({ kind: 'filter', fn });
    const expressions = chainOf(engine, [
      select({ a: col('a').mul(2).add(1), b: col('b') }),
      where(col('a').gt(200_001)),
      select({ a: col('a').sub(col('b').mul(3)), b: col('b') }),
      where(col('b').lt(900)),
      select({ value: col('a').mul(0.5).add(col('b')) }),
    ]);
    const functions = chainOf(engine, [
      map((r) => ({ a: r.a * 2 + 1, b: r.b })),
      filter((r) => r.a > 200_001),
      map((r) => ({ a: r.a - r.b * 3, b: r.b })),
      filter((r) => r.b < 900),
      map((r) => ({ value: r.a * 0.5 + r.b })),
    ]);
    const out = new Float64Array(ROWS * BATCHES);
    return {
      'generated from expressions': () => stepAll(expressions, batches),
      'generated from functions': () => stepAll(functions, batches),
      'by hand, into an array': () => byHand(records, out),
    };
  },
};

function batchOf({ FixedColumn }, records, index) {
  const fields = ['a', 'b'].map((name) => ({
    name,
    type: { kind: 'number' },
    nullable: false,
    optional: false,
  }));
  const columns = fields.map((field) => {
    const values = records[field.name].subarray(index * ROWS, (index + 1) * ROWS);
    return new FixedColumn(field, values, null, null);
  });
  const schema = { shape: 'object', fields };
  return { schema, schemaVersion: 1, rows: ROWS, columns, times: null, kinds: null };
}

function chainOf(engine, specs) {
  const { createChainTask, createBatchBuilder } = engine;
  const port = {
    channels: 1,
    builders: [],
    open(schema, options) {
      port.builders = [createBatchBuilder(schema, 1, { capacity: ROWS, ...options })];
      return true;
    },
    flush() {
      port.builders[0].take();
      port.builders[0].reset();
      return true;
    },
  };
  const operators = specs.map((spec, index) => ({
    spec: { uid: String(index), name: spec.kind, createdAt: null, ...spec },
    input: index - 1,
  }));
  return createChainTask({
    vertexName: 'micro',
    operators,
    outputs: [{ port, after: specs.length - 1, partitioner: { kind: 'forward' }, columns: null }],
    streamSchemas: () => schemasOf(),
    subtask: 0,
    parallelism: 1,
    maxParallelism: 128,
    clock: { epochMs: () => 0, monotonicMs: () => 0 },
    random: { nextUint32: () => 0, next: () => 0, below: () => 0 },
    control: new Int32Array(2),
    parts: { computing: engine },
    tables: () => {
      throw new Error('Nothing here is keyed.');
    },
    userMetrics: {
      memory: new SharedArrayBuffer(64),
      byteOffset: 0,
      size: { metricsMax: 0, histogramsMax: 0 },
      registry: null,
    },
    countLate: () => undefined,
    preAggregateKeysMax: 0,
  });
}

/** Schemas of one producer, who is always right. */
function schemasOf() {
  let current = null;
  return {
    current: () => current,
    propose: (schema) => (current = { schema, version: 1 }),
    get: () => current.schema,
  };
}

function stepAll(task, batches) {
  for (const batch of batches) {
    const cursor = { position: 0 };
    while (task.step(0, batch, cursor, ROWS) !== 0);
  }
}

function byHand({ a, b }, out) {
  let count = 0;
  for (let row = 0; row < out.length; row++) {
    const first = a[row] * 2 + 1;
    if (first <= 200_001) continue;
    const second = b[row];
    if (second >= 900) continue;
    out[count++] = (first - second * 3) * 0.5 + second;
  }
  return count;
}
