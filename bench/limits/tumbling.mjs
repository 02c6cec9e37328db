/**
 * The limit of `tumbling`: two threads, each of which sums the prices of its half of the events up in typed arrays by
 * user. When a window is over there, the sums of its own users go into the totals of the window, and those of the others
 * to the other thread as columns in shared memory. A window whose sums have come from both is given out.
 */
import { mixCell } from '../lib/answer.mjs';
import { EVENT_ROWS, eventPassMs, eventRecords, passesOf } from '../lib/records.mjs';
import { onThreads, serveThread } from '../lib/threads.mjs';

const WINDOW_MS = 10_000;
const BATCH_ROWS = 1024;
const FRAME_ROWS = 4096;
const FRAMES = 16;
const HEAD_BYTES = 64;
const FRAME_BYTES = HEAD_BYTES + 2 * 8 * FRAME_ROWS;
const PUBLISHED = 0;
const RELEASED = 32;
const COUNTER_BYTES = 256;
/** In place of a number of rows: the window is over at the sender; all of them are. */
const WINDOW_OVER = -1;
const FINISHED = -2;
const INDEX_BITS = 18;
const INDEX_MASK = 2 ** INDEX_BITS - 1;
const ENTRIES_MAX = 131_072;

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, seed, options }) {
  const passes = passesOf(rows, EVENT_ROWS);
  const readers = 2;
  const rings = [0, 1].map(() => new SharedArrayBuffer(COUNTER_BYTES + FRAMES * FRAME_BYTES));
  const parts = await onThreads(import.meta.url, readers, (index) => ({
    seed,
    users: options.users,
    readers,
    passes: Math.floor(((index + 1) * passes) / readers) - Math.floor((index * passes) / readers),
    send: rings[index],
    receive: rings[1 - index],
  }));
  const sum = (pick) => parts.reduce((total, part) => total + part[pick], 0);
  return {
    records: passes * EVENT_ROWS,
    answer: () => [[sum('given'), sum('mixed') % 4294967296]],
  };
}

/** The lowest bit says which thread keeps a user, the highest ones where its entry is looked for first. */
function hashOf(user) {
  const bits = Math.imul(user ^ (user >>> 15), 0x85ebca6b);
  return Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
}

/** Sums by user. */
class Sums {
  count = 0;
  users = new Int32Array(ENTRIES_MAX);
  totals = new Float64Array(ENTRIES_MAX);
  /** Pairs of a user and its entry, plus one; 0 is empty. */
  #index = new Int32Array(2 * (INDEX_MASK + 1));

  add(user, hash, price) {
    const index = this.#index;
    let slot = (hash >>> (32 - INDEX_BITS)) * 2;
    for (;;) {
      const entry = index[slot + 1];
      if (entry !== 0 && index[slot] === user) {
        this.totals[entry - 1] += price;
        return;
      }
      if (entry === 0) break;
      slot = (slot + 2) & (2 * INDEX_MASK + 1);
    }
    const entry = this.count++;
    index[slot] = user;
    index[slot + 1] = entry + 1;
    this.users[entry] = user;
    this.totals[entry] = price;
  }

  clear() {
    this.#index.fill(0);
    this.count = 0;
  }
}

/** The totals of the windows that are not over on both threads, and what came out of the others. */
class Windows {
  given = 0;
  mixed = 0;
  /** Totals and how many threads have ended it, by start. */
  #open = new Map();
  #free = [];

  at(start) {
    let window = this.#open.get(start);
    if (window === undefined) {
      window = { sums: this.#free.pop() ?? new Sums(), ended: 0 };
      this.#open.set(start, window);
    }
    return window.sums;
  }

  end(start) {
    const window = this.#open.get(start);
    if (++window.ended < 2) return;
    const { sums } = window;
    for (let entry = 0; entry < sums.count; entry++) {
      let hash = mixCell(0, sums.users[entry]);
      hash = mixCell(hash, start);
      hash = mixCell(hash, start + WINDOW_MS);
      hash = mixCell(hash, sums.totals[entry]);
      this.mixed = (this.mixed + (hash >>> 0)) % 4294967296;
    }
    this.given += sums.count;
    sums.clear();
    this.#free.push(sums);
    this.#open.delete(start);
  }
}

function framesOf(memory) {
  return Array.from({ length: FRAMES }, (_, index) => {
    const at = COUNTER_BYTES + index * FRAME_BYTES;
    const column = (number) =>
      new Float64Array(memory, at + HEAD_BYTES + number * 8 * FRAME_ROWS, FRAME_ROWS);
    return {
      rows: new Int32Array(memory, at, 1),
      start: new Float64Array(memory, at + 8, 1),
      user: column(0),
      total: column(1),
    };
  });
}

/** One end of the ring in each direction. */
class Exchange {
  isFinished = false;
  #sent;
  #sentFrames;
  #published = 0;
  #received;
  #receivedFrames;
  #taken = 0;
  #windows;

  constructor(send, receive, windows) {
    this.#sent = new Int32Array(send, 0, COUNTER_BYTES / 4);
    this.#sentFrames = framesOf(send);
    this.#received = new Int32Array(receive, 0, COUNTER_BYTES / 4);
    this.#receivedFrames = framesOf(receive);
    this.#windows = windows;
  }

  /** The next frame to write, once there is room. */
  frame() {
    while (this.#published - Atomics.load(this.#sent, RELEASED) >= FRAMES) {
      if (!this.takeAll()) Atomics.wait(this.#sent, RELEASED, this.#published - FRAMES, 1);
    }
    return this.#sentFrames[this.#published % FRAMES];
  }

  publish(frame, rows, start) {
    frame.rows[0] = rows;
    frame.start[0] = start;
    Atomics.store(this.#sent, PUBLISHED, ++this.#published);
    Atomics.notify(this.#sent, PUBLISHED);
  }

  /** Takes what has come; false when nothing has. */
  takeAll() {
    const published = Atomics.load(this.#received, PUBLISHED);
    if (published === this.#taken) return false;
    for (; this.#taken < published; this.#taken++) {
      this.#take(this.#receivedFrames[this.#taken % FRAMES]);
    }
    Atomics.store(this.#received, RELEASED, this.#taken);
    Atomics.notify(this.#received, RELEASED);
    return true;
  }

  takeRest() {
    while (!this.isFinished) {
      if (!this.takeAll()) Atomics.wait(this.#received, PUBLISHED, this.#taken, 1);
    }
  }

  #take({ rows: [rows], start: [start], user, total }) {
    if (rows === FINISHED) {
      this.isFinished = true;
      return;
    }
    const sums = this.#windows.at(start);
    if (rows === WINDOW_OVER) {
      this.#windows.end(start);
      return;
    }
    for (let row = 0; row < rows; row++) sums.add(user[row], hashOf(user[row]), total[row]);
  }
}

/** A window is over at this thread: its sums go where they belong. */
function handOver(sums, start, self, exchange, windows) {
  const own = windows.at(start);
  const { users, totals, count } = sums;
  let frame = exchange.frame();
  let rows = 0;
  for (let entry = 0; entry < count; entry++) {
    const user = users[entry];
    const hash = hashOf(user);
    if ((hash & 1) === self) {
      own.add(user, hash, totals[entry]);
      continue;
    }
    frame.user[rows] = user;
    frame.total[rows++] = totals[entry];
    if (rows < FRAME_ROWS) continue;
    exchange.publish(frame, rows, start);
    frame = exchange.frame();
    rows = 0;
  }
  exchange.publish(frame, rows, start);
  exchange.publish(exchange.frame(), WINDOW_OVER, start);
  windows.end(start);
  sums.clear();
}

serveThread(({ seed, users, readers, passes, send, receive }, self) => {
  const windows = new Windows();
  const exchange = new Exchange(send, receive, windows);
  const sums = new Sums();
  const { user, price, at } = eventRecords(seed, { users, readers });
  const passMs = eventPassMs(readers);
  let start = 0;
  for (let pass = 0; pass < passes; pass++) {
    for (let from = 0; from < EVENT_ROWS; from += BATCH_ROWS) {
      for (let row = from; row < from + BATCH_ROWS; row++) {
        const time = at[row] + pass * passMs;
        if (time >= start + WINDOW_MS) {
          handOver(sums, start, self, exchange, windows);
          start = time - (time % WINDOW_MS);
        }
        sums.add(user[row], hashOf(user[row]), price[row]);
      }
      exchange.takeAll();
    }
  }
  handOver(sums, start, self, exchange, windows);
  exchange.publish(exchange.frame(), FINISHED, 0);
  exchange.takeRest();
  return { given: windows.given, mixed: windows.mixed };
});
