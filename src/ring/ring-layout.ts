/**
 * The layout of a ring in shared memory: one table of offsets that writer, reader and tests share. A ring is a
 * header and a data area of any multiple of eight bytes. Callers: spsc-ring, the tests of the ring. Runs on:
 * any thread. Invariant: what the producer writes and what the consumer writes lie two cache lines apart,
 * because processors prefetch lines in pairs and a shared pair would bounce between the cores.
 */
import { assert } from '../base/assert.js';

/** Two cache lines: the distance at which two writers no longer disturb each other. */
const ISOLATION_BYTES = 128;

/** Written by `createRing` and by opening, then only read. */
const CONFIG_OFFSET = 0;
/** Written by the producer. */
const PRODUCER_OFFSET = CONFIG_OFFSET + ISOLATION_BYTES;
/** Written by the consumer. */
const CONSUMER_OFFSET = PRODUCER_OFFSET + ISOLATION_BYTES;
/** Where the messages are. */
const DATA_OFFSET = CONSUMER_OFFSET + ISOLATION_BYTES;

/** Indices of the header's int32 words. */
export const RING_WORDS = {
  magic: CONFIG_OFFSET / 4,
  dataBytes: CONFIG_OFFSET / 4 + 1,
  messageBytesMax: CONFIG_OFFSET / 4 + 2,
  /** 1 once the end has been opened: a second producer or consumer is a defect. */
  writerOpened: CONFIG_OFFSET / 4 + 3,
  readerOpened: CONFIG_OFFSET / 4 + 4,
  /** Position behind the newest published message. */
  published: PRODUCER_OFFSET / 4,
  /** Twice the number of barriers announced; odd while position and payload change. */
  barrierVersion: PRODUCER_OFFSET / 4 + 1,
  /** Position behind the messages that the announced barrier comes after. */
  barrierPosition: PRODUCER_OFFSET / 4 + 2,
  /** Position before which all space is free again. */
  released: CONSUMER_OFFSET / 4,
} as const;

/** Where the payload of the announced barrier is in the header, and its bytes. */
export const RING_BARRIER_OFFSET = PRODUCER_OFFSET + 16;
export const ANNOUNCED_BYTES = 24;

/** 'MRG1' as an int32: tells a ring from memory that nobody initialised. */
export const RING_MAGIC = 0x4d524731;

/** Bytes of the header; the data area takes the rest of the region. */
export const RING_HEADER_BYTES = DATA_OFFSET;
/** The smallest data area; such rings exist for tests only. */
export const RING_DATA_BYTES_MIN = 256;
/** The largest data area: positions are int32 and differences must stay positive. */
export const RING_DATA_BYTES_MAX = 2 ** 30;

/** Every message starts with its length in bytes and its tag, both int32. */
export const MESSAGE_HEADER_BYTES = 8;
/** A tag is the frame kind in the low byte and one of the segment marks above it. */
export const TAG_KIND_MASK = 0xff;
export const SEGMENT_WHOLE = 0;
/** Begins with the length of the whole message as int32 and four unused bytes. */
export const SEGMENT_FIRST = 1 << 8;
export const SEGMENT_MIDDLE = 2 << 8;
export const SEGMENT_LAST = 3 << 8;
/** Fills the rest of the data area when the next message does not fit there in one piece. */
export const TAG_PADDING = 4 << 8;
/** Prefix of the first segment's payload. */
export const LARGE_PREFIX_BYTES = 8;

/** Where a ring lies. */
export interface RingLayout {
  readonly dataBytes: number;
  /** Largest contiguous message, without its header. */
  readonly claimBytesMax: number;
  /** The consumer may keep back less than this much credit before it returns it in one store. */
  readonly creditBatchBytes: number;
}

/** Rounds up to the alignment of messages. */
export function alignMessage(bytes: number): number {
  return (bytes + 7) & ~7;
}

/**
 * The sizes that follow from the size of a ring's region. A claim that wraps loses less than its own size to
 * padding, so a claim of up to half of the space is always granted once the consumer has taken everything;
 * "the space" leaves out the credit that the consumer may keep back meanwhile.
 */
export function ringLayout(regionBytes: number): RingLayout {
  const dataBytes = regionBytes - RING_HEADER_BYTES;
  assert(regionBytes % 8 === 0, 'A ring takes a multiple of eight bytes.');
  assert(
    dataBytes >= RING_DATA_BYTES_MIN && dataBytes <= RING_DATA_BYTES_MAX,
    'The data area of a ring has between 256 bytes and 1 GiB.',
  );
  const creditBatchBytes = Math.floor(dataBytes / 64) * 8;
  const half = Math.floor((dataBytes - creditBatchBytes) / 16) * 8;
  return { dataBytes, claimBytesMax: half - MESSAGE_HEADER_BYTES, creditBatchBytes };
}
