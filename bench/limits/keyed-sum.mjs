/**
 * The limit of the cases `keyed-sum-*`: two threads, each of which reads half of the passes, keeps the records of its own
 * users and sends the others as columns through shared memory. A user's total lies in a typed array behind an index.
 * Options: `keys`, the number of users.
 */
import { createFrameRing, FINISHED, FrameReceiver, FrameSender } from '../lib/frame-rings.mjs';
import { amountRecords, amountRows, passesOf } from '../lib/records.mjs';
import { onThreads, serveThread } from '../lib/threads.mjs';

const BATCH_ROWS = 1024;
const FRAME_BYTES = 2 * 8 * BATCH_ROWS + 64;
const ENTRIES_MAX = 1_048_576;
const INDEX_BITS = 21;
const INDEX = 2 ** INDEX_BITS;

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, seed, options }) {
  const { keys } = options;
  const passes = passesOf(rows, amountRows(keys));
  const threads = 2;
  const rings = [0, 1].map(() => createFrameRing(FRAME_BYTES));
  const parts = await onThreads(import.meta.url, threads, (index) => ({
    seed,
    keys,
    passes: Math.floor(((index + 1) * passes) / threads) - Math.floor((index * passes) / threads),
    send: rings[index],
    receive: rings[1 - index],
  }));
  const sum = (pick) => parts.reduce((total, part) => total + part[pick], 0);
  return {
    records: passes * amountRows(keys),
    answer: () => [[sum('updates'), sum('total')]],
  };
}

/** The lowest bit says which thread keeps a user, the highest ones where its entry is looked for first. */
function hashOf(user) {
  const bits = Math.imul(user ^ (user >>> 15), 0x85ebca6b);
  return Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
}

/** The totals of users. */
class Users {
  /** What all running totals add up to, and how many they are. */
  sum = 0;
  updates = 0;
  #count = 0;
  #totals = new Float64Array(ENTRIES_MAX);
  /** Pairs of a user and its entry, plus one; 0 is empty. */
  #index = new Int32Array(INDEX * 2);

  add(user, hash, amount) {
    this.sum += this.#totals[this.#entryOf(user, hash)] += amount;
    this.updates++;
  }

  #entryOf(user, hash) {
    const index = this.#index;
    let slot = (hash >>> (32 - INDEX_BITS)) * 2;
    for (;;) {
      const entry = index[slot + 1];
      if (entry !== 0 && index[slot] === user) return entry - 1;
      if (entry === 0) break;
      slot = (slot + 2) & (INDEX * 2 - 1);
    }
    const entry = this.#count++;
    index[slot] = user;
    index[slot + 1] = entry + 1;
    return entry;
  }
}

function makeFrame(memory, at) {
  const column = (number) =>
    new Float64Array(memory, at + 64 + number * 8 * BATCH_ROWS, BATCH_ROWS);
  return {
    head: new Int32Array(memory, at, 1),
    user: column(0),
    amount: column(1),
  };
}

/** Adds the records of own users; those of the others go into a frame. Returns how many those are. */
function keepOwn({ user, amount }, from, self, frame, users) {
  let count = 0;
  for (let row = from; row < from + BATCH_ROWS; row++) {
    const key = user[row];
    const hash = hashOf(key);
    if ((hash & 1) === self) {
      users.add(key, hash, amount[row]);
      continue;
    }
    frame.user[count] = key;
    frame.amount[count++] = amount[row];
  }
  return count;
}

serveThread(({ seed, keys, passes, send, receive }, index) => {
  const users = new Users();
  const records = amountRecords(seed, keys);
  const rows = records.user.length;
  const sender = new FrameSender(send, makeFrame);
  const take = ({ user, amount }, count) => {
    for (let row = 0; row < count; row++) users.add(user[row], hashOf(user[row]), amount[row]);
  };
  const receiver = new FrameReceiver(receive, makeFrame);
  const batches = passes * (rows / BATCH_ROWS);
  for (let batch = 0; batch < batches; batch++) {
    while (!sender.hasRoom()) if (!receiver.takeAll(take)) sender.waitForRoom();
    const from = (batch * BATCH_ROWS) % rows;
    sender.publish(keepOwn(records, from, index, sender.frame, users));
    receiver.takeAll(take);
  }
  while (!sender.hasRoom()) if (!receiver.takeAll(take)) sender.waitForRoom();
  sender.publish(FINISHED);
  while (!receiver.isFinished) if (!receiver.takeAll(take)) receiver.waitForFrame();
  return { updates: users.updates, total: users.sum };
});
