/**
 * The limit of `exchange`: two threads, each of which reads half of the passes, keeps the orders of its own users and
 * sends the others as columns through shared memory. A batch's texts are sent as one block with the place of each text
 * beside it, because copying a block costs less than copying half of its texts one by one. Totals lie side by side in
 * one typed array.
 */
import { mixCell } from '../lib/answer.mjs';
import { createFrameRing, FINISHED, FrameReceiver, FrameSender } from '../lib/frame-rings.mjs';
import { orderRecords, PASS_ROWS, passesOf } from '../lib/records.mjs';
import { onThreads, serveThread } from '../lib/threads.mjs';

const BATCH_ROWS = 1024;
const FRAME_BYTES = 96 * 1024;

/** Numbers of an entry. */
const [USER, TOTAL, MOST, NEWEST, OSLO, NOTES] = [0, 1, 2, 3, 4, 5];
const ENTRY = 6;
const ENTRIES_MAX = 65_536;
const INDEX_BITS = 17;
/** Half of the index is keys, so that a look-up touches one line of it. */
const INDEX = 2 ** INDEX_BITS;

const OSLO_BYTES = [...'Oslo'].map((letter) => letter.charCodeAt(0));
const NOTE_LETTER = 'a'.charCodeAt(0);

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, seed }) {
  const passes = passesOf(rows);
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
    records: passes * PASS_ROWS,
    answer: () => [[sum('users'), sum('mixed') % 4294967296]],
  };
}

/** The lowest bit says which thread keeps a user, the highest ones where its entry is looked for first. */
function hashOf(user) {
  const bits = Math.imul(user ^ (user >>> 15), 0x85ebca6b);
  return Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
}

/** Users in the order of their first order, behind an index that is small enough for the second cache. */
class Totals {
  count = 0;
  numbers = new Float64Array(ENTRIES_MAX * ENTRY);
  /** Pairs of a user and where its numbers start, plus one; 0 is empty. */
  #index = new Int32Array(INDEX * 2);

  /** Where the numbers of a user start. */
  at(user, hash) {
    const index = this.#index;
    let slot = (hash >>> (32 - INDEX_BITS)) * 2;
    for (;;) {
      const start = index[slot + 1];
      if (start !== 0 && index[slot] === user) return start - 1;
      if (start === 0) return this.#add(user, slot);
      slot = (slot + 2) & (INDEX * 2 - 1);
    }
  }

  #add(user, slot) {
    const start = this.count++ * ENTRY;
    this.#index[slot] = user;
    this.#index[slot + 1] = start + 1;
    this.numbers[start + USER] = user;
    this.numbers[start + NEWEST] = -1;
    return start;
  }
}

function isOslo(bytes, start, end) {
  if (end - start !== 4) return false;
  return (
    bytes[start] === OSLO_BYTES[0] &&
    bytes[start + 1] === OSLO_BYTES[1] &&
    bytes[start + 2] === OSLO_BYTES[2] &&
    bytes[start + 3] === OSLO_BYTES[3]
  );
}

/** Adds the orders of own users up; the rows of the others go to `others`. Returns how many those are. */
function keepOwn({ id, user, price, quantity, city, note }, from, self, others, totals) {
  const { numbers } = totals;
  let count = 0;
  for (let row = from; row < from + BATCH_ROWS; row++) {
    const key = user[row] | 0;
    const hash = hashOf(key);
    if ((hash & 1) !== self) {
      others[count++] = row;
      continue;
    }
    const at = totals.at(key, hash);
    numbers[at + TOTAL] += price[row];
    if (quantity[row] > numbers[at + MOST]) numbers[at + MOST] = quantity[row];
    if (id[row] > numbers[at + NEWEST]) numbers[at + NEWEST] = id[row];
    if (isOslo(city.bytes, city.offsets[row], city.offsets[row + 1])) numbers[at + OSLO]++;
    const start = note.offsets[row];
    if (note.offsets[row + 1] > start && note.bytes[start] === NOTE_LETTER) numbers[at + NOTES]++;
  }
  return count;
}

/** The columns of a frame, as views that are made once. */
class Frame {
  constructor(memory, from) {
    let at = from;
    const take = (Type, length) => {
      const view = new Type(memory, at, length);
      at += (view.byteLength + 7) & ~7;
      return view;
    };
    /** Rows, or FINISHED; bytes of cities; bytes of notes. */
    this.head = take(Int32Array, 4);
    this.id = take(Float64Array, BATCH_ROWS);
    this.user = take(Float64Array, BATCH_ROWS);
    this.price = take(Float64Array, BATCH_ROWS);
    this.quantity = take(Float64Array, BATCH_ROWS);
    this.cityStart = take(Int32Array, BATCH_ROWS);
    this.cityEnd = take(Int32Array, BATCH_ROWS);
    this.noteStart = take(Int32Array, BATCH_ROWS);
    this.noteEnd = take(Int32Array, BATCH_ROWS);
    this.cityBytes = take(Uint8Array, BATCH_ROWS * 8 + 8);
    this.noteBytes = take(Uint8Array, BATCH_ROWS * 36 + 8);
    if (at > from + FRAME_BYTES) throw new Error('A frame is too small.');
  }
}

const makeFrame = (memory, from) => new Frame(memory, from);

/** Writes the rows of others into a frame. */
function fillFrame(frame, { id, user, price, quantity, city, note }, from, rows, count) {
  const end = from + BATCH_ROWS;
  // From a multiple of eight, because copies into shared memory go by words only when both sides are aligned.
  const cityFrom = city.offsets[from] & ~7;
  const noteFrom = note.offsets[from] & ~7;
  for (let index = 0; index < count; index++) {
    const row = rows[index];
    frame.id[index] = id[row];
    frame.user[index] = user[row];
    frame.price[index] = price[row];
    frame.quantity[index] = quantity[row];
    frame.cityStart[index] = city.offsets[row] - cityFrom;
    frame.cityEnd[index] = city.offsets[row + 1] - cityFrom;
    frame.noteStart[index] = note.offsets[row] - noteFrom;
    frame.noteEnd[index] = note.offsets[row + 1] - noteFrom;
  }
  frame.cityBytes.set(city.bytes.subarray(cityFrom, city.offsets[end]));
  frame.noteBytes.set(note.bytes.subarray(noteFrom, note.offsets[end]));
}

function addFrame(frame, rows, totals) {
  const { id, user, price, quantity, cityBytes, noteBytes } = frame;
  const { cityStart, cityEnd, noteStart, noteEnd } = frame;
  const { numbers } = totals;
  for (let row = 0; row < rows; row++) {
    const key = user[row] | 0;
    const at = totals.at(key, hashOf(key));
    numbers[at + TOTAL] += price[row];
    if (quantity[row] > numbers[at + MOST]) numbers[at + MOST] = quantity[row];
    if (id[row] > numbers[at + NEWEST]) numbers[at + NEWEST] = id[row];
    if (isOslo(cityBytes, cityStart[row], cityEnd[row])) numbers[at + OSLO]++;
    const start = noteStart[row];
    if (noteEnd[row] > start && noteBytes[start] === NOTE_LETTER) numbers[at + NOTES]++;
  }
}

function checksum({ count, numbers }) {
  let mixed = 0;
  for (let at = 0; at < count * ENTRY; at += ENTRY) {
    let hash = 0;
    for (let cell = USER; cell <= NOTES; cell++) hash = mixCell(hash, numbers[at + cell]);
    mixed = (mixed + (hash >>> 0)) % 4294967296;
  }
  return { users: count, mixed };
}

serveThread(({ seed, passes, send, receive }, index) => {
  const totals = new Totals();
  const orders = orderRecords(seed);
  const sender = new FrameSender(send, makeFrame);
  const take = (frame, rows) => addFrame(frame, rows, totals);
  const receiver = new FrameReceiver(receive, makeFrame);
  const batches = passes * (PASS_ROWS / BATCH_ROWS);
  const others = new Int32Array(BATCH_ROWS);
  for (let batch = 0; batch < batches; batch++) {
    const from = (batch * BATCH_ROWS) % PASS_ROWS;
    while (!sender.hasRoom()) if (!receiver.takeAll(take)) sender.waitForRoom();
    const count = keepOwn(orders, from, index, others, totals);
    fillFrame(sender.frame, orders, from, others, count);
    sender.publish(count);
    receiver.takeAll(take);
  }
  while (!sender.hasRoom()) if (!receiver.takeAll(take)) sender.waitForRoom();
  sender.publish(FINISHED);
  while (!receiver.isFinished) if (!receiver.takeAll(take)) receiver.waitForFrame();
  return checksum(totals);
});
