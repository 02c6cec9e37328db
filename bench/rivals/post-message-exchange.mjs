/**
 * The rival of `exchange`: the same orders as objects in arrays of 1024 by `postMessage`, and a Map of totals on each
 * of two threads, as one would write it in Node.js without a library.
 */
import { isMainThread, MessageChannel, parentPort, Worker, workerData } from 'node:worker_threads';
import { mixCell } from '../lib/answer.mjs';
import { orderRecords, PASS_ROWS, passesOf } from '../lib/records.mjs';

const BATCH_ROWS = 1024;
/** Batches in flight; without a bound all of them would be in memory at once. */
const WINDOW = 16;

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, seed }) {
  const passes = passesOf(rows);
  const { port1, port2 } = new MessageChannel();
  const parts = await Promise.all(
    [port1, port2].map((port, index) => {
      const share = index === 0 ? Math.ceil(passes / 2) : Math.floor(passes / 2);
      const exchange = { port, index, passes: share, seed };
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { postMessageExchange: exchange },
        transferList: [port],
      });
      return new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    }),
  );
  const sum = (pick) => parts.reduce((total, part) => total + part[pick], 0);
  return {
    records: passes * PASS_ROWS,
    answer: () => [[sum('users'), sum('mixed') % 4294967296]],
  };
}

function serve({ port, index, passes, seed }) {
  const orders = objectsOf(orderRecords(seed));
  const totals = new Map();
  const end = passes * PASS_ROWS;
  let row = 0;
  let inFlight = 0;
  let peerFinished = false;
  const sendBatches = () => {
    for (; row < end && inFlight < WINDOW; row += BATCH_ROWS) {
      const others = [];
      for (let at = row; at < row + BATCH_ROWS; at++) {
        const order = orders[at % PASS_ROWS];
        if ((order.user & 1) === index) add(totals, order);
        else others.push(order);
      }
      port.postMessage(others);
      inFlight++;
    }
    if (row >= end && inFlight === 0) port.postMessage('finished');
  };
  port.on('message', (message) => {
    if (message === 'finished') peerFinished = true;
    else if (message === 'taken') inFlight--;
    else {
      for (const order of message) add(totals, order);
      port.postMessage('taken');
    }
    if (message === 'taken') sendBatches();
    if (peerFinished && row >= end && inFlight === 0) finish(port, totals);
  });
  sendBatches();
}

/** Records as objects, made once: only sending them counts. */
function objectsOf({ id, user, price, quantity, city, note }) {
  const text = ({ offsets, bytes }, row) =>
    Buffer.from(bytes.buffer, offsets[row], offsets[row + 1] - offsets[row]).toString('latin1');
  return Array.from({ length: PASS_ROWS }, (_, row) => ({
    id: id[row],
    user: user[row],
    price: price[row],
    quantity: quantity[row],
    city: text(city, row),
    note: text(note, row),
  }));
}

function add(totals, { id, user, price, quantity, city, note }) {
  let total = totals.get(user);
  if (total === undefined) {
    total = { user, total: 0, most: 0, newest: -1, oslo: 0, notes: 0 };
    totals.set(user, total);
  }
  total.total += price;
  if (quantity > total.most) total.most = quantity;
  if (id > total.newest) total.newest = id;
  if (city === 'Oslo') total.oslo++;
  if (note.startsWith('a')) total.notes++;
}

function finish(port, totals) {
  let mixed = 0;
  for (const { user, total, most, newest, oslo, notes } of totals.values()) {
    const cells = [user, total, most, newest, oslo, notes];
    mixed = (mixed + (cells.reduce(mixCell, 0) >>> 0)) % 4294967296;
  }
  parentPort.postMessage({ users: totals.size, mixed });
  port.close();
}

if (!isMainThread && workerData?.postMessageExchange !== undefined)
  serve(workerData.postMessageExchange);
