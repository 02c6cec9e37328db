/**
 * A job with much state by key: its source gives every key once, as fast as it can, and then goes on with a few thousand
 * records a second, so that what is changed between two checkpoints is little. Callers: `run-rescale.mjs`, and the
 * slots. Ends only when it is canceled.
 */
import { avg, count, job, max, min, sum } from 'millrace';
import { sumSink } from '../lib/answer-sinks.mjs';

// The results of `SourceReader.poll`, as the contract numbers them.
const POLL_BATCH = 0;
const POLL_WAIT = 1;
const POLL_NEED_SPLIT = 2;
/** Between two batches once every key is there. */
const PAUSE_MS = 5;

const schema = {
  shape: 'object',
  fields: ['user', 'amount'].map((name) => ({
    name,
    type: { kind: 'number' },
    nullable: false,
    optional: false,
  })),
};

class KeysReader {
  batch = null;
  bytesRead = 0;
  #keys;
  #row = 0;
  #split = null;
  #dueMs = 0;
  #wake;
  #version;

  constructor({ schemas, batchRows, wake }, keys) {
    this.#keys = keys;
    this.#wake = wake;
    this.#version = schemas.propose(schema).version;
    this.batchRows = batchRows;
  }

  addSplit(split, position) {
    this.#split = split;
    this.#row = position ?? 0;
  }

  poll() {
    if (this.#split === null) return POLL_NEED_SPLIT;
    if (this.#row >= this.#keys) {
      const nowMs = performance.now();
      if (nowMs < this.#dueMs) {
        setTimeout(this.#wake, this.#dueMs - nowMs).unref();
        return POLL_WAIT;
      }
      this.#dueMs = nowMs + PAUSE_MS;
    }
    const rows = this.batchRows;
    const values = new Float64Array(rows);
    // Neighbours in time are not neighbours in memory.
    for (let row = 0; row < rows; row++) {
      values[row] = ((this.#row + row) * 7919) % this.#keys;
    }
    this.#row += rows;
    const common = { validity: null, presence: null };
    this.batch = {
      schema,
      schemaVersion: this.#version,
      rows,
      columns: schema.fields.map((field) => ({ field, values, ...common })),
      times: null,
      kinds: null,
    };
    return POLL_BATCH;
  }

  positions(rows = this.batchRows) {
    if (this.#split === null) return [];
    const position = this.#row - (this.batch === null ? 0 : this.batchRows - rows);
    return [{ split: this.#split, position }];
  }

  close() {}
}

function keysSource(keys) {
  return {
    kind: 'source',
    type: 'keys',
    name: `${keys} keys`,
    bounded: true,
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    projects: true,
    plan: () => ({
      schema,
      splits: [{ id: '0', bytes: null, rows: null, data: null }],
      bytes: null,
      rows: null,
      data: null,
    }),
    open: (context) => new KeysReader(context, keys),
  };
}

const AGGREGATES = {
  rows: count(),
  total: sum('amount'),
  mean: avg('amount'),
  least: min('amount'),
  most: max('amount'),
};

/** The same in a function of its own. */
function totals({ state }) {
  const [rows, total, least, most] = ['rows', 'total', 'least', 'most'].map((name) =>
    state.value({ name, type: { kind: 'number' } }),
  );
  return {
    processElement({ user, amount }, { collect }) {
      const sumNow = (total.value() ?? 0) + amount;
      rows.update((rows.value() ?? 0) + 1);
      total.update(sumNow);
      least.update(Math.min(least.value() ?? amount, amount));
      most.update(Math.max(most.value() ?? amount, amount));
      collect({ user, total: sumNow });
    },
  };
}

export const benchJob = job('rescale', (flow, { keys, isFunction }) => {
  const users = flow.from(keysSource(keys), { parallelism: 1 }).keyBy('user');
  const results = isFunction
    ? users.process(totals, { uid: 'totals' })
    : users.aggregate(AGGREGATES, { emit: 'updates', uid: 'totals' });
  results.to(sumSink('total'));
});
