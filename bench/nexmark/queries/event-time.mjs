/** Streams of Nexmark with their event times, as far out of order as the original's tables say. Callers: queries of time. */

const OUT_OF_ORDER = { outOfOrderness: '4s' };

/** @template T @param {import('millrace').Stream<T>} stream */
export function inEventTime(stream) {
  return stream.assignTimestamps('dateTime', OUT_OF_ORDER);
}
