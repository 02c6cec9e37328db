/**
 * Where a byte stands in others, in AssemblyScript (TypeScript's syntax, compiled to WebAssembly with SIMD).
 * `scripts/build-webassembly.mjs` compiles it into `byte-marks-module.ts`. Callers: `byte-marks.ts`. Runs on: worker.
 */

/** Positions that are written for each block, whether it has so many or not. */
const WRITTEN: i32 = 6;

/**
 * Writes the positions of `byte` from `start` to `end`, counted from `start` and with `first` added, to `out`, and
 * gives how many there are. Reads up to 31 bytes behind the end and writes up to six positions behind the last.
 */
export function find(start: usize, end: usize, byte: i32, out: usize, first: i32): i32 {
  const pattern = i8x16.splat(byte as i8);
  let to = out;
  for (let at = start; at < end; at += 32) {
    const low: u32 = i8x16.bitmask(i8x16.eq(v128.load(at), pattern));
    const high: u32 = i8x16.bitmask(i8x16.eq(v128.load(at, 16), pattern));
    let bits: u32 = low | (high << 16);
    const left = (end - at) as u32;
    if (left < 32) bits &= (1 << left) - 1;
    const found = popcnt(bits);
    const base = ((at - start) as i32) + first;
    // Most blocks have fewer, and none of these asks for how many, which would be guessed wrong often.
    for (let index = 0; index < WRITTEN; index++) {
      store<i32>(to + (index << 2), base + ctz(bits));
      bits &= bits - 1;
    }
    for (let next = to + (WRITTEN << 2); bits !== 0; next += 4) {
      store<i32>(next, base + ctz(bits));
      bits &= bits - 1;
    }
    to += found << 2;
  }
  return ((to - out) >>> 2) as i32;
}
