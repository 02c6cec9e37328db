/** Records of six fields as frames and back, beside what else carries records. */
import { deserialize, serialize } from 'node:v8';
import { orderRecords } from '../lib/records.mjs';

const ROWS = 1024;

/** @type {import('../lib/micro-runner.mjs').Micro} */
export const micro = {
  name: 'codec',
  title: 'orders of six fields, two of them texts, into memory and out of it',
  modules: [
    'record/frame-codec.ts',
    'record/batch-builder.ts',
    'record/row-codec.ts',
    'record/infer.ts',
  ],
  unit: 'record',
  perCall: ROWS,
  setup(engine, seed) {
    const records = objectsOf(orderRecords(seed));
    const schema = engine.inferSchema(records);
    const schemas = { current: () => ({ schema, version: 1 }), get: () => schema };
    const builder = engine.createBatchBuilder(schema, 1, {
      capacity: ROWS,
      times: false,
      kinds: false,
    });
    const write = engine.compileRowWriter(schema);
    const read = engine.compileRowReader(schema, null);
    for (const record of records) write(builder, record);
    const batch = builder.take();
    const memory = new Uint8Array(new SharedArrayBuffer(engine.frameBytes(batch) + 8));
    const bytes = engine.encodeFrame(batch, memory, 0);
    const cloned = serialize(records);
    const json = JSON.stringify(records);
    return {
      'encode a frame': () => engine.encodeFrame(batch, memory, 0),
      'decode a frame, as columns': () => engine.decodeFrame(memory, 0, bytes, schemas),
      'decode a frame, to objects': () => {
        const decoded = engine.decodeFrame(memory, 0, bytes, schemas);
        let last = null;
        for (let row = 0; row < ROWS; row++) last = read(decoded, row);
        return last;
      },
      'v8.serialize': () => serialize(records),
      'v8.deserialize': () => deserialize(cloned),
      'JSON.stringify': () => JSON.stringify(records),
      'JSON.parse': () => JSON.parse(json),
    };
  },
};

function objectsOf({ id, user, price, quantity, city, note }) {
  const text = ({ offsets, bytes }, row) =>
    Buffer.from(bytes.subarray(offsets[row], offsets[row + 1])).toString('latin1');
  return Array.from({ length: ROWS }, (_, row) => ({
    id: id[row],
    user: user[row],
    price: price[row],
    quantity: quantity[row],
    city: text(city, row),
    note: text(note, row),
  }));
}
