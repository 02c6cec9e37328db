/**
 * What the `ring` case measures of a ring between two threads: the rate of records of 64 bytes, 32 to a message and
 * one to a message, and the time of a round trip when both sides park and when both spin. Callers: `jobs/ring.mjs`,
 * `limits/ring.mjs`. Runs on: the thread of the contender and one more, which serves the same module.
 *
 * A transport is `{ create(), open(shared, side, bundle) }`: `create` makes shared memory for a ring each way, `open`
 * gives an end: `{ numbers, claim, commit, poll, offset, length, release, waitForRoom, waitForMessage, parkForMessage }`.
 * Offsets and lengths count numbers of eight bytes in `numbers`.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { spreadOf } from './statistics.mjs';

/** Numbers in a record of 64 bytes. */
const RECORD = 8;
export const BATCH_RECORDS = 32;
/** Round trips before the clock runs, so that the code is compiled. */
const WARM_UP_TRIPS = 2000;

/**
 * @param {string} moduleUrl of the contender
 * @param {object} transport
 * @param {{ rows: number, bundle: string | null }} options
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function playRing(moduleUrl, transport, { rows, bundle }) {
  const play = (game) => playGame(moduleUrl, transport, { ...game, bundle });
  const batched = await play({ game: 'rate', records: rows, batch: BATCH_RECORDS });
  const single = await play({ game: 'rate', records: Math.ceil(rows / 4), batch: 1 });
  const trips = Math.max(2000, Math.ceil(rows / 2000));
  const parked = await play({ game: 'trips', trips, spins: false });
  const spinning = await play({ game: 'trips', trips: trips * 4, spins: true });
  return {
    records: rows,
    elapsedMs: batched.elapsedMs,
    measures: {
      batchedRate: (rows / batched.elapsedMs) * 1000,
      singleRate: (single.records / single.elapsedMs) * 1000,
      parkedMicros: spreadOf(parked.micros).median,
      spinMicros: spreadOf(spinning.micros).median,
    },
    answer: () => [[batched.sum, single.sum]],
  };
}

/** What the records of a game add up to: each holds its own number in all its places. */
async function playGame(moduleUrl, transport, game) {
  const shared = transport.create();
  const worker = new Worker(new URL(moduleUrl), { workerData: { ringGame: game, shared } });
  const failed = new Promise((_, reject) => worker.once('error', reject));
  const next = () =>
    Promise.race([failed, new Promise((resolve) => worker.once('message', resolve))]);
  await next();
  const end = await transport.open(shared, 0, game.bundle);
  const answered = next();
  try {
    if (game.game === 'trips') return { micros: measureTrips(end, game) };
    const startMs = performance.now();
    sendRecords(end, game.records, game.batch);
    const sum = await answered;
    return { records: game.records, elapsedMs: performance.now() - startMs, sum };
  } finally {
    await worker.terminate();
  }
}

/**
 * In the other thread: plays its part.
 *
 * @param {object} transport
 */
export async function serveRing(transport) {
  const game = workerData?.ringGame;
  if (isMainThread || game === undefined) return;
  const end = await transport.open(workerData.shared, 1, game.bundle);
  parentPort.postMessage('ready');
  const result = game.game === 'trips' ? answerTrips(end, game) : takeRecords(end, game.records);
  parentPort.postMessage(result);
}

function sendRecords(end, records, batch) {
  const { numbers } = end;
  for (let sent = 0; sent < records; ) {
    const count = Math.min(batch, records - sent);
    let at = end.claim(count * RECORD);
    while (at < 0) {
      end.waitForRoom(count * RECORD);
      at = end.claim(count * RECORD);
    }
    for (const stop = at + count * RECORD; at < stop; at += RECORD, sent++) {
      numbers[at] = sent;
      numbers[at + 1] = sent;
      numbers[at + 2] = sent;
      numbers[at + 3] = sent;
      numbers[at + 4] = sent;
      numbers[at + 5] = sent;
      numbers[at + 6] = sent;
      numbers[at + 7] = sent;
    }
    end.commit(count * RECORD);
  }
}

function takeRecords(end, records) {
  const { numbers } = end;
  let sum = 0;
  for (let taken = 0; taken < records; ) {
    while (!end.poll()) end.waitForMessage();
    const start = end.offset;
    const stop = start + end.length;
    for (let at = start; at < stop; at += RECORD, taken++) {
      if (numbers[at] !== numbers[at + RECORD - 1]) throw new Error('A record came in pieces.');
      sum += numbers[at];
    }
    end.release();
  }
  return sum;
}

function measureTrips(end, { trips, spins }) {
  const micros = [];
  for (let trip = -WARM_UP_TRIPS; trip < trips; trip++) {
    const startMs = performance.now();
    sendRecords(end, 1, 1);
    takeOne(end, spins);
    if (trip >= 0) micros.push((performance.now() - startMs) * 1000);
  }
  return micros;
}

function answerTrips(end, { trips, spins }) {
  for (let trip = -WARM_UP_TRIPS; trip < trips; trip++) {
    takeOne(end, spins);
    sendRecords(end, 1, 1);
  }
  return 0;
}

function takeOne(end, spins) {
  while (!end.poll()) if (!spins) end.parkForMessage();
  end.release();
}
