/**
 * Measures the ring between two threads: frames of 64 bytes one by one, records of 64 bytes in batches of 32, and
 * round trips with spinning, blocking and asynchronous parkers, beside postMessage in the same run.
 *
 *   node test/stress/ring-measure.mjs [--frames 2e7] [--trips 2e4]
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { withRingBundle } from './ring-bundle.mjs';

const FRAME_DATA = 0;
const RING_BYTES = 2 ** 20 + 384;
const THERE = 512;
const BACK = THERE + RING_BYTES;

if (isMainThread) await withRingBundle(measureAll);
else await answer();

async function measureAll(bundle) {
  const { values } = parseArgs({
    options: {
      frames: { type: 'string', default: '2e7' },
      trips: { type: 'string', default: '2e4' },
    },
  });
  const frames = Number(values.frames);
  const trips = Number(values.trips);
  for (const bytes of [64, 64 * 32]) {
    for (const mode of ['spin', 'block']) {
      const count = bytes === 64 ? frames : frames / 8;
      const setting = { sink: true, mode, count, bytes };
      const { pair, seconds } = await rate(bundle, setting);
      await pair.worker.terminate();
      const records = ((count * bytes) / 64 / seconds / 1e6).toFixed(1);
      console.log(`${bytes / 64} records of 64 bytes a frame, ${mode}: ${records} M records/s`);
    }
  }
  for (const mode of ['spin', 'block', 'async']) {
    report(mode, await roundTrips(bundle, { mode, count: trips, bytes: 64 }));
  }
  report('postMessage', await postRoundTrips(trips));
}

function report(what, micros) {
  const sorted = micros.toSorted((a, b) => a - b);
  const at = (q) => sorted[Math.floor(q * (sorted.length - 1))].toFixed(1);
  console.log(`round trip, ${what}: p50 ${at(0.5)} us, p99 ${at(0.99)} us`);
}

async function openPair(bundle, setting) {
  const ring = await import(bundle);
  const memory = new SharedArrayBuffer(BACK + RING_BYTES);
  ring.createRing(memory, THERE, RING_BYTES);
  ring.createRing(memory, BACK, RING_BYTES);
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { bundle, memory, setting },
  });
  await new Promise((resolve) => worker.once('message', resolve));
  return { worker, ...openEnds(ring, memory, setting.mode, true) };
}

function openEnds(ring, memory, mode, isMain) {
  const mine = ring.createParkerWord(memory, isMain ? 0 : 128);
  const waker = ring.wakerFor(ring.createParkerWord(memory, isMain ? 128 : 0));
  return {
    parker:
      mode === 'async' ? new ring.AsyncParker(mine, keepAlive) : new ring.BlockingParker(mine),
    writer: ring.openRingWriter(memory, isMain ? THERE : BACK, RING_BYTES, waker),
    reader: ring.openRingReader(memory, isMain ? BACK : THERE, RING_BYTES, waker),
  };
}

/** `Atomics.waitAsync` keeps no process alive. */
function keepAlive() {
  const timer = setInterval(() => {}, 60_000);
  return () => clearInterval(timer);
}

async function rate(bundle, setting) {
  const pair = await openPair(bundle, setting);
  const { writer, parker } = pair;
  const words = new Int32Array(writer.memory.buffer, writer.memory.byteOffset);
  const startMs = performance.now();
  for (let frame = 0; frame < setting.count; frame++) {
    let at = writer.claim(setting.bytes);
    while (at < 0) {
      if (setting.mode === 'spin') {
        at = writer.claim(setting.bytes);
        continue;
      }
      const ticket = parker.announce();
      at = writer.claim(setting.bytes);
      if (at < 0) parker.park(ticket, 1000);
      else parker.withdraw();
      if (at < 0) at = writer.claim(setting.bytes);
    }
    for (let word = at >> 2; word < (at + setting.bytes) >> 2; word += 16) words[word] = frame;
    writer.commit(FRAME_DATA, setting.bytes);
  }
  while (writer.queuedBytes() > 0);
  return { pair, seconds: (performance.now() - startMs) / 1000 };
}

async function roundTrips(bundle, setting) {
  const pair = await openPair(bundle, setting);
  const micros = [];
  for (let trip = 0; trip < setting.count; trip++) {
    const startMs = performance.now();
    pair.writer.claim(setting.bytes);
    pair.writer.commit(FRAME_DATA, setting.bytes);
    if (!pair.reader.poll()) {
      const waited = untilPolled(pair, setting.mode);
      if (waited !== undefined) await waited;
    }
    pair.reader.release();
    micros.push((performance.now() - startMs) * 1000);
  }
  await pair.worker.terminate();
  return micros;
}

function untilPolled({ reader, parker }, mode) {
  if (mode === 'async') return untilPolledAsync(reader, parker);
  while (!reader.poll()) {
    if (mode === 'spin') continue;
    const ticket = parker.announce();
    if (reader.poll()) return parker.withdraw();
    parker.park(ticket, 1000);
  }
}

async function untilPolledAsync(reader, parker) {
  while (!reader.poll()) {
    const ticket = parker.announce();
    if (reader.poll()) return parker.withdraw();
    await parker.park(ticket, 1000);
  }
}

async function answer() {
  if (workerData.setting === undefined) {
    parentPort.on('message', (message) => parentPort.postMessage(message));
    return;
  }
  const { bundle, memory, setting } = workerData;
  const { reader, writer, parker } = openEnds(await import(bundle), memory, setting.mode, false);
  parentPort.postMessage('ready');
  for (let frame = 0; frame < setting.count; frame++) {
    if (!reader.poll()) {
      const waited = untilPolled({ reader, parker }, setting.mode);
      if (waited !== undefined) await waited;
    }
    reader.release();
    if (setting.sink === true) continue;
    writer.claim(setting.bytes);
    writer.commit(FRAME_DATA, setting.bytes);
  }
  reader.poll();
}

async function postRoundTrips(trips) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: {} });
  const micros = [];
  const message = new Uint8Array(64);
  for (let trip = 0; trip < trips; trip++) {
    const startMs = performance.now();
    const answered = new Promise((resolve) => worker.once('message', resolve));
    worker.postMessage(message);
    await answered;
    if (trip > 0) micros.push((performance.now() - startMs) * 1000);
  }
  await worker.terminate();
  return micros;
}
