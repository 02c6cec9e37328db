import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { inferSchema } from '../../../src/record/infer.js';
import { SchemaRegistry, schemaRegistryBytes } from '../../../src/record/schema-registry.js';

describe('the schema registry', () => {
  it('numbers the versions of each stream, and adds one only for what is new', () => {
    const registry = new SchemaRegistry(new SharedArrayBuffer(schemaRegistryBytes(2)));
    const stream = registry.stream(0);
    expect(stream.current()).toBe(null);
    expect(stream.propose(inferSchema([{ a: 1 }])).version).toBe(1);
    expect(stream.propose(inferSchema([{ a: 2 }])).version).toBe(1);
    const second = stream.propose(inferSchema([{ b: 'x' }]));
    expect(second.version).toBe(2);
    expect(second.schema.fields.map((field) => [field.name, field.optional])).toStrictEqual([
      ['a', true],
      ['b', true],
    ]);
    expect(stream.get(1).fields).toHaveLength(1);
    expect(registry.stream(1).current()).toBe(null);
  });

  it('is seen by every instance over its memory', () => {
    const memory = new SharedArrayBuffer(schemaRegistryBytes(1));
    const writer = new SchemaRegistry(memory).stream(7);
    const reader = new SchemaRegistry(memory).stream(7);
    writer.propose(inferSchema([{ name: 'ü\ud800' }]));
    expect(reader.current()).toStrictEqual(writer.current());
  });

  it('says so when it is full, and stays usable', () => {
    const registry = new SchemaRegistry(new SharedArrayBuffer(256));
    const stream = registry.stream(0);
    stream.propose(inferSchema([{ a: 1 }]));
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, 1]));
    expect(() => stream.propose(inferSchema([many]))).toThrow(
      expect.objectContaining({ code: 'SCHEMA_REGISTRY_FULL' }),
    );
    expect(stream.propose(inferSchema([{ a: 5 }])).version).toBe(1);
  });

  it('loses nothing while another thread takes the lock in between', async () => {
    const memory = new SharedArrayBuffer(schemaRegistryBytes(4));
    // Only the lock is at stake: another thread takes and returns it over and over, as a producer
    // would.
    const contender = new Worker(
      `const { workerData: words } = require('node:worker_threads');
       for (let turn = 0; turn < 20000; turn++) {
         while (Atomics.compareExchange(words, 0, 0, 1) !== 0);
         Atomics.store(words, 0, 0);
       }`,
      { eval: true, workerData: new Int32Array(memory) },
    );
    const ended = new Promise((resolve) => contender.once('exit', resolve));
    const first = new SchemaRegistry(memory).stream(0);
    const second = new SchemaRegistry(memory).stream(0);
    for (let field = 0; field < 40; field++) {
      (field % 2 === 0 ? first : second).propose(inferSchema([{ [`f${field}`]: field }]));
    }
    await ended;
    expect(first.current()?.version).toBe(40);
    expect(second.current()?.schema.fields).toHaveLength(40);
  });
});
