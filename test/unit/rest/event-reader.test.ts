import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventsOf, type RestEvent } from '../../../src/rest/event-reader.js';

it('reads events wherever their bytes are cut', async () => {
  const event = fc.record({ type: fc.constantFrom('job', 'jobs'), data: fc.jsonValue() });
  await fc.assert(
    fc.asyncProperty(fc.array(event), fc.integer({ min: 1, max: 7 }), async (events, cut) => {
      const text = events
        .map(({ type, data }) => `:\n\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
        .join('');
      const bytes = Buffer.from(text);
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += cut) chunks.push(bytes.subarray(at, at + cut));
      const read: RestEvent[] = [];
      const body = ReadableStream.from<Uint8Array>(chunks);
      for await (const one of eventsOf(body, undefined)) read.push(one);
      expect(read).toEqual(events.map(({ type, data }) => ({ type, data: clone(data) })));
    }),
  );
});

/** As JSON has it: no negative zero. */
function clone(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
