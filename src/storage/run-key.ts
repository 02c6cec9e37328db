/**
 * Keys of run files: bytes that sort by key group, then state, then key, so that what belongs to a range of key groups
 * is one range of every file. Callers: whoever writes or scans run files. Runs on: any thread; pure.
 */

/** Bytes of a key before those of the user's. */
export const RUN_KEY_PREFIX_BYTES = 4;

/** `keyGroup` from -1 (state of no key) to 65 534, `state` from 0 to 65 535; `key` may be empty. */
export function runKey(keyGroup: number, state: number, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RUN_KEY_PREFIX_BYTES + key.length);
  const first = keyGroup + 1;
  bytes[0] = first >>> 8;
  bytes[1] = first & 0xff;
  bytes[2] = state >>> 8;
  bytes[3] = state & 0xff;
  bytes.set(key, RUN_KEY_PREFIX_BYTES);
  return bytes;
}

/** Compares by bytes, a prefix before what is longer: negative, 0 or positive. */
export function compareBytes(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): number {
  const shorter = Math.min(leftEnd - leftStart, rightEnd - rightStart);
  for (let at = 0; at < shorter; at++) {
    const difference = (left[leftStart + at] ?? 0) - (right[rightStart + at] ?? 0);
    if (difference !== 0) return difference;
  }
  return leftEnd - leftStart - (rightEnd - rightStart);
}
