import { describe, expect, it } from 'vitest';
import { inferSchema } from '../../../src/record/infer.js';
import { compileRowWriter } from '../../../src/record/row-codec.js';
import type { SinkPort } from '../../../src/runtime/sink-port.js';
import { ScriptedWriter, sinkPortOf } from './runtime-harness.js';

function add(port: SinkPort, ...values: number[]): void {
  const [builder] = port.builders;
  const write = compileRowWriter(builder.schema);
  for (const v of values) write(builder, { v });
}

describe('SinkPort', () => {
  it('offers the rest of a batch that was taken in parts, in order and each row once', () => {
    const writer = new ScriptedWriter();
    writer.writes = [1, 0, 2];
    const port = sinkPortOf(writer, { v: 0 });
    add(port, 1, 2, 3, 4);
    const answers = Array.from({ length: 4 }, () => port.flush(0));
    expect(answers).toEqual([false, false, false, true]);
    expect(writer.offers).toEqual([0, 1, 1, 3]);
    expect(writer.taken).toEqual([{ v: 1 }, { v: 2 }, { v: 3 }, { v: 4 }]);
    expect(port.builders[0].rows).toBe(0);
  });

  it('says that only an event can help exactly while the writer refuses', () => {
    const writer = new ScriptedWriter();
    writer.writes = [0];
    writer.flushes = [false];
    writer.commits = [null];
    const port = sinkPortOf(writer, { v: 0 });
    add(port, 1);
    const seen = [port.isWaiting];
    for (const action of [
      () => port.flushThrough(),
      () => port.flushThrough(),
      () => port.flushThrough(),
      () => port.prepareCommit(true),
      () => port.prepareCommit(true),
    ]) {
      action();
      seen.push(port.isWaiting);
    }
    expect(seen).toEqual([false, true, true, false, true, false]);
  });

  it('hands on rows of an older schema before it opens for a wider one', () => {
    const writer = new ScriptedWriter();
    writer.writes = [1, 0];
    const port = sinkPortOf(writer, { v: 0 });
    add(port, 1, 2);
    const wider = inferSchema([{ v: 1, w: 'text' }]);
    const options = { times: false, kinds: false };
    expect([port.open(wider, options), port.open(wider, options)]).toEqual([false, false]);
    expect(port.builders[0].schema.fields.length).toBe(1);
    expect(port.open(wider, options)).toBe(true);
    expect(writer.taken).toEqual([{ v: 1 }, { v: 2 }]);
    expect(port.builders[0].schema.fields.length).toBe(2);
  });

  it('has nothing to hand on before it is opened', () => {
    const writer = new ScriptedWriter();
    const port = sinkPortOf(writer, { v: 0 });
    expect(port.flushAll()).toBe(true);
    expect(writer.offers).toEqual([]);
  });
});
