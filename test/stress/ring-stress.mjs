/**
 * Sends numbered frames through a ring between two real threads and checks order and content of every one; then
 * prints the rate. The consumer is a worker, the producer the main thread; both park when they have nothing to
 * do, so that parking and waking are under stress as well.
 *
 *   node test/stress/ring-stress.mjs [--frames 1e8] [--bytes 64] [--ring 1048960] [--large 0]
 *
 * `--large N` makes every N-th message larger than the ring, so that it travels in segments.
 */
import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { withRingBundle } from './ring-bundle.mjs';

const FRAME_DATA = 0;
const FRAME_FINISHED = 9;
/** The consumer's int32 view of the memory that the current message is in. */
let view = new Int32Array(0);
let viewed = null;

if (isMainThread) await main();
else
  await consume().catch((error) => {
    fail(workerData.memory, error.stack);
    throw error;
  });

async function main() {
  const { values } = parseArgs({
    options: {
      frames: { type: 'string', default: '1e8' },
      bytes: { type: 'string', default: '64' },
      ring: { type: 'string', default: String(2 ** 20 + 384) },
      large: { type: 'string', default: '0' },
    },
  });
  await withRingBundle((bundle) =>
    stress(bundle, {
      frames: Number(values.frames),
      bytes: Number(values.bytes),
      ring: Number(values.ring),
      large: Number(values.large),
    }),
  );
}

async function stress(bundle, setting) {
  const { createRing, createParkerWord, BlockingParker, openRingWriter, wakerFor } = await import(
    bundle
  );
  const memory = new SharedArrayBuffer(512 + setting.ring);
  createRing(memory, 512, setting.ring);
  const parker = new BlockingParker(createParkerWord(memory, 0));
  const consumer = wakerFor(createParkerWord(memory, 128));
  const writer = openRingWriter(memory, 512, setting.ring, consumer);
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { bundle, memory, setting },
  });
  const report = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const ready = new Int32Array(memory, 256, 1);
  while (Atomics.load(ready, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const startMs = performance.now();
  const produced = produce(writer, parker, setting, new Int32Array(memory, 384, 1));
  const consumed = await report;
  const seconds = (performance.now() - startMs) / 1000;
  await worker.terminate();
  if (consumed.error !== null) throw new Error(consumed.error);
  if (consumed.frames !== setting.frames || consumed.checksum !== produced.checksum) {
    throw new Error(`Sent ${JSON.stringify(produced)}, received ${JSON.stringify(consumed)}.`);
  }
  const rate = setting.frames / seconds / 1e6;
  const megabytes = (setting.frames * setting.bytes) / seconds / 1e6;
  console.log(
    `${setting.frames} frames of ${setting.bytes} bytes in ${seconds.toFixed(2)} s: ` +
      `${rate.toFixed(1)} M frames/s, ${megabytes.toFixed(0)} MB/s; parked: producer ` +
      `${produced.parks}, consumer ${consumed.parks}; checksum ${produced.checksum}`,
  );
}

/** Words of a frame: its number, then values derived from it. */
function wordOf(frame, index) {
  return (Math.imul(frame, 0x9e3779b1) + index) | 0;
}

function produce(writer, parker, setting, failed) {
  const words = new Int32Array(
    writer.memory.buffer,
    writer.memory.byteOffset,
    writer.memory.byteLength >> 2,
  );
  const count = setting.bytes >> 2;
  const largeBytes = writer.capacityBytes * 2 + 8;
  let checksum = 0;
  let parks = 0;
  const waitUntil = (attempt) => {
    for (;;) {
      const result = attempt();
      if (result !== false) return result;
      const ticket = parker.announce();
      const again = attempt();
      if (again !== false) {
        parker.withdraw();
        return again;
      }
      parks++;
      parker.park(ticket, 1000);
      if (Atomics.load(failed, 0) !== 0) throw new Error('The consumer failed; see above.');
    }
  };
  const claimed = () => {
    const at = writer.claim(setting.bytes);
    return at < 0 ? false : at;
  };
  for (let frame = 0; frame < setting.frames; frame++) {
    const sum = wordOf(frame, 1);
    checksum = (Math.imul(checksum, 31) + sum) | 0;
    if (setting.large > 0 && frame % setting.large === setting.large - 1) {
      const message = new Int32Array(largeBytes / 4).fill(sum);
      message[0] = frame;
      const bytes = new Uint8Array(message.buffer);
      waitUntil(() => writer.writeLarge(FRAME_DATA, bytes));
      continue;
    }
    let at = writer.claim(setting.bytes);
    if (at < 0) at = waitUntil(claimed);
    const word = at >> 2;
    words[word] = frame | 0;
    for (let i = 1; i < count; i++) words[word + i] = wordOf(frame, i);
    writer.commit(FRAME_DATA, setting.bytes);
  }
  waitUntil(() => writer.tryWriteControl(FRAME_FINISHED, new Uint8Array(0)));
  return { checksum, parks };
}

async function consume() {
  const { parentPort } = await import('node:worker_threads');
  const { bundle, memory, setting } = workerData;
  const { createParkerWord, BlockingParker, openRingReader, wakerFor } = await import(bundle);
  const parker = new BlockingParker(createParkerWord(memory, 128));
  const reader = openRingReader(memory, 512, setting.ring, wakerFor(createParkerWord(memory, 0)));
  const result = { frames: 0, checksum: 0, parks: 0, error: null };
  const ready = new Int32Array(memory, 256, 1);
  Atomics.store(ready, 0, 1);
  for (;;) {
    if (!reader.poll()) {
      const ticket = parker.announce();
      if (!reader.poll()) {
        result.parks++;
        parker.park(ticket, 10_000);
        continue;
      }
      parker.withdraw();
    }
    if (reader.kind === FRAME_FINISHED) break;
    result.error = takeFrame(reader, result, setting);
    reader.release();
    if (result.error !== null) break;
  }
  if (result.error !== null) fail(memory, result.error);
  parentPort.postMessage(result);
}

/** The producer blocks its event loop, so it learns of a failure through the memory. */
function fail(memory, reason) {
  writeSync(2, `${reason}\n`);
  Atomics.store(new Int32Array(memory, 384, 1), 0, 1);
}

function takeFrame(reader, result, setting) {
  if (viewed !== reader.memory) {
    viewed = reader.memory;
    view = new Int32Array(viewed.buffer, viewed.byteOffset, viewed.byteLength >> 2);
  }
  const frame = result.frames++;
  const word = reader.offset >> 2;
  if (view[word] !== (frame | 0)) return `Frame ${frame} came as ${view[word]}.`;
  result.checksum = (Math.imul(result.checksum, 31) + view[word + 1]) | 0;
  const count = reader.bytes >> 2;
  const large = setting.large > 0 && frame % setting.large === setting.large - 1;
  for (let i = 1; i < count; i++) {
    const expected = wordOf(frame, large ? 1 : i);
    if (view[word + i] !== expected) return `Word ${i} of frame ${frame} is damaged.`;
  }
  return null;
}
