/**
 * The rival of `ring`: what Node.js has for sending records between threads. A record is a Float64Array of 64 bytes;
 * 32 of them are one of 2 KiB. Messages are cloned, as records that go on being used would be.
 */
import {
  isMainThread,
  MessageChannel,
  parentPort,
  receiveMessageOnPort,
  Worker,
  workerData,
} from 'node:worker_threads';
import { BATCH_RECORDS } from '../lib/ring-game.mjs';
import { spreadOf } from '../lib/statistics.mjs';

const RECORD = 8;
/** Messages in flight: more only fill the heap. */
const WINDOW = 256;
const WARM_UP_TRIPS = 2000;

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows }) {
  const batched = await rate(rows, BATCH_RECORDS);
  const single = await rate(Math.ceil(rows / 4), 1);
  const trips = Math.max(2000, Math.ceil(rows / 2000));
  const parked = await roundTrips(trips, false);
  const polling = await roundTrips(trips, true);
  return {
    records: rows,
    elapsedMs: batched.elapsedMs,
    measures: {
      batchedRate: (rows / batched.elapsedMs) * 1000,
      singleRate: (single.records / single.elapsedMs) * 1000,
      parkedMicros: spreadOf(parked).median,
      spinMicros: spreadOf(polling).median,
    },
    answer: () => [[batched.sum, single.sum]],
  };
}

async function withPeer(game, play) {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { postMessageGame: { ...game, port: port2 } },
    transferList: [port2],
  });
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  try {
    return await play(port1);
  } finally {
    port1.close();
    await worker.terminate();
  }
}

function rate(records, batch) {
  return withPeer({ game: 'rate', records }, async (port) => {
    const startMs = performance.now();
    const sum = await new Promise((resolve) => {
      let sent = 0;
      let inFlight = 0;
      const fill = () => {
        while (sent < records && inFlight < WINDOW) {
          const count = Math.min(batch, records - sent);
          const message = new Float64Array(count * RECORD);
          for (let at = 0; at < message.length; at += RECORD, sent++)
            message.fill(sent, at, at + RECORD);
          port.postMessage(message);
          inFlight++;
        }
      };
      port.on('message', ({ taken, sum: total }) => {
        inFlight -= taken;
        if (total === null) fill();
        else resolve(total);
      });
      fill();
    });
    return { records, elapsedMs: performance.now() - startMs, sum };
  });
}

function roundTrips(trips, polls) {
  return withPeer({ game: 'trips', polls }, async (port) => {
    const micros = [];
    const message = new Float64Array(RECORD);
    for (let trip = -WARM_UP_TRIPS; trip < trips; trip++) {
      const startMs = performance.now();
      if (polls) {
        port.postMessage(message);
        while (receiveMessageOnPort(port) === undefined);
      } else {
        const answered = new Promise((resolve) => port.once('message', resolve));
        port.postMessage(message);
        await answered;
      }
      if (trip >= 0) micros.push((performance.now() - startMs) * 1000);
    }
    return micros;
  });
}

function serve({ port, game, records, polls }) {
  parentPort.postMessage('ready');
  if (game === 'rate') return takeRecords(port, records);
  if (!polls) return port.on('message', (message) => port.postMessage(message));
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (received !== undefined) port.postMessage(received.message);
  }
}

/** Confirms messages by quarters of the window, so that confirmations cost little. */
function takeRecords(port, records) {
  let sum = 0;
  let taken = 0;
  let unconfirmed = 0;
  port.on('message', (message) => {
    for (let at = 0; at < message.length; at += RECORD, taken++) {
      if (message[at] !== message[at + RECORD - 1]) throw new Error('A record came in pieces.');
      sum += message[at];
    }
    unconfirmed++;
    if (taken === records) port.postMessage({ taken: unconfirmed, sum });
    else if (unconfirmed === WINDOW / 4) {
      port.postMessage({ taken: unconfirmed, sum: null });
      unconfirmed = 0;
    }
  });
}

if (!isMainThread && workerData?.postMessageGame !== undefined) serve(workerData.postMessageGame);
