/** DELTA_BINARY_PACKED written after the format's text, with big integers throughout. */

const varint = (value: bigint): number[] => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
};
const zigzag = (value: bigint): number[] => varint((value << 1n) ^ (value >> 63n));

/** Blocks of 128 values in four miniblocks. */
export function encodeDelta(values: readonly bigint[]): Uint8Array {
  const bytes = [...varint(128n), ...varint(4n), ...varint(BigInt(values.length))];
  bytes.push(...zigzag(values[0] ?? 0n));
  const deltas = values.slice(1).map((value, i) => BigInt.asIntN(64, value - values[i]));
  for (let start = 0; start < deltas.length; start += 128) {
    const block = deltas.slice(start, start + 128);
    const least = block.reduce((a, b) => (a < b ? a : b));
    const above = block.map((delta) => BigInt.asUintN(64, delta - least));
    const miniblocks = [0, 32, 64, 96].map((at) => above.slice(at, at + 32));
    const widths = miniblocks.map((mini) =>
      mini.reduce(
        (width, value) => Math.max(width, value === 0n ? 0 : value.toString(2).length),
        0,
      ),
    );
    bytes.push(...zigzag(least), ...widths);
    for (const [index, mini] of miniblocks.entries()) {
      if (mini.length === 0) continue;
      let bits = 0n;
      for (const [place, value] of mini.entries()) bits |= value << BigInt(place * widths[index]);
      for (let byte = 0; byte < widths[index] * 4; byte++)
        bytes.push(Number((bits >> BigInt(byte * 8)) & 255n));
    }
  }
  return Uint8Array.from(bytes);
}
