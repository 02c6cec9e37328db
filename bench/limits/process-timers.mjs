/**
 * The limit of `process-timers`: two threads, each of which reads half of the passes, keeps the records of its own users
 * and sends the others as columns through shared memory. A user's total and the time of its timer lie in typed arrays
 * behind an index; a heap orders the timers, and a record whose user has its timer already costs a comparison.
 */
import { mixCell } from '../lib/answer.mjs';
import { createFrameRing, FINISHED, FrameReceiver, FrameSender } from '../lib/frame-rings.mjs';
import { passesOf, TIMED_ROWS, timedRecords } from '../lib/records.mjs';
import { onThreads, serveThread } from '../lib/threads.mjs';

const BATCH_ROWS = 1024;
const FRAME_BYTES = 3 * 8 * BATCH_ROWS + 64;
const ENTRIES_MAX = 1_048_576;
const INDEX_BITS = 21;
const INDEX = 2 ** INDEX_BITS;

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, seed }) {
  const passes = passesOf(rows, TIMED_ROWS);
  const threads = 2;
  const rings = [0, 1].map(() => createFrameRing(FRAME_BYTES));
  const parts = await onThreads(import.meta.url, threads, (index) => ({
    seed,
    passes: Math.floor(((index + 1) * passes) / threads) - Math.floor((index * passes) / threads),
    send: rings[index],
    receive: rings[1 - index],
  }));
  const sum = (pick) => parts.reduce((total, part) => total + part[pick], 0);
  return {
    records: passes * TIMED_ROWS,
    answer: () => [[sum('fired'), sum('mixed') % 4294967296]],
  };
}

/** The lowest bit says which thread keeps a user, the highest ones where its entry is looked for first. */
function hashOf(user) {
  const bits = Math.imul(user ^ (user >>> 15), 0x85ebca6b);
  return Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
}

/** The totals of users, and their timers. */
class Users {
  count = 0;
  totals = new Float64Array(ENTRIES_MAX);
  users = new Int32Array(ENTRIES_MAX);
  dues = new Float64Array(ENTRIES_MAX);
  /** Pairs of a user and its entry, plus one; 0 is empty. */
  #index = new Int32Array(INDEX * 2);
  #heap = new Int32Array(ENTRIES_MAX);
  #size = 0;

  add(user, hash, price, due) {
    const entry = this.#entryOf(user, hash);
    this.totals[entry] += price;
    if (this.dues[entry] !== due) this.#register(entry, due);
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
    const entry = this.count++;
    index[slot] = user;
    index[slot + 1] = entry + 1;
    this.users[entry] = user;
    return entry;
  }

  #register(entry, due) {
    const { dues } = this;
    const heap = this.#heap;
    dues[entry] = due;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (dues[heap[parent]] <= due) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  /** Takes the timers out in order of their times, and mixes what their users have. */
  fireAll() {
    let mixed = 0;
    let fired = 0;
    for (; this.#size > 0; fired++) {
      const entry = this.#pop();
      let hash = mixCell(0, this.users[entry]);
      hash = mixCell(hash, this.dues[entry]);
      hash = mixCell(hash, this.totals[entry]);
      mixed = (mixed + (hash >>> 0)) % 4294967296;
    }
    return { fired, mixed };
  }

  #pop() {
    const { dues } = this;
    const heap = this.#heap;
    const first = heap[0];
    const size = --this.#size;
    const last = heap[size];
    const due = dues[last];
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && dues[heap[child + 1]] < dues[heap[child]]) child++;
      if (dues[heap[child]] >= due) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function makeFrame(memory, at) {
  const column = (number) =>
    new Float64Array(memory, at + 64 + number * 8 * BATCH_ROWS, BATCH_ROWS);
  return {
    head: new Int32Array(memory, at, 1),
    user: column(0),
    price: column(1),
    due: column(2),
  };
}

/** Adds the records of own users; those of the others go into a frame. Returns how many those are. */
function keepOwn({ user, price, due }, from, self, frame, users) {
  let count = 0;
  for (let row = from; row < from + BATCH_ROWS; row++) {
    const key = user[row];
    const hash = hashOf(key);
    if ((hash & 1) === self) {
      users.add(key, hash, price[row], due[row]);
      continue;
    }
    frame.user[count] = key;
    frame.price[count] = price[row];
    frame.due[count++] = due[row];
  }
  return count;
}

serveThread(({ seed, passes, send, receive }, index) => {
  const users = new Users();
  const records = timedRecords(seed);
  const sender = new FrameSender(send, makeFrame);
  const take = ({ user, price, due }, count) => {
    for (let row = 0; row < count; row++)
      users.add(user[row], hashOf(user[row]), price[row], due[row]);
  };
  const receiver = new FrameReceiver(receive, makeFrame);
  const batches = passes * (TIMED_ROWS / BATCH_ROWS);
  for (let batch = 0; batch < batches; batch++) {
    while (!sender.hasRoom()) if (!receiver.takeAll(take)) sender.waitForRoom();
    const from = (batch * BATCH_ROWS) % TIMED_ROWS;
    sender.publish(keepOwn(records, from, index, sender.frame, users));
    receiver.takeAll(take);
  }
  while (!sender.hasRoom()) if (!receiver.takeAll(take)) sender.waitForRoom();
  sender.publish(FINISHED);
  while (!receiver.isFinished) if (!receiver.takeAll(take)) receiver.waitForFrame();
  return users.fireAll();
});
