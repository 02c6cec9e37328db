/**
 * Unpacks integers of 0 to 32 bits, packed least significant bit first: eight values take as many
 * bytes as one has bits. One straight-line function is generated per width. Callers: `hybrid.ts`,
 * `delta-packed.ts`. Runs on: the slot's thread. Invariant: the caller has checked that the bytes
 * and the room are there.
 */
import { compileFunction } from 'node:vm';
import { assert } from '../../base/assert.js';

/** Unpacks `groups` times eight values. */
export type Unpacker = (
  bytes: Uint8Array,
  at: number,
  values: Int32Array,
  offset: number,
  groups: number,
) => void;

const unpackers: (Unpacker | undefined)[] = [];

/** The unpacker of a width. */
export function unpackerOf(bits: number): Unpacker {
  assert(bits >= 0 && bits <= 32, `Integers of ${bits} bits are packed.`);
  const known = unpackers[bits];
  if (known !== undefined) return known;
  const made = compileFunction(
    unpackerCode(bits),
    ['bytes', 'first', 'values', 'offset', 'groups'],
    { filename: `millrace:unpack-${bits}-bits.js` },
  ) as Unpacker;
  unpackers[bits] = made;
  return made;
}

function unpackerCode(bits: number): string {
  const loads = Array.from({ length: bits }, (_, byte) => `b${byte} = bytes[at + ${byte}]`);
  const stores = Array.from(
    { length: 8 },
    (_, value) => `    values[to + ${value}] = ${valueCode(bits, value)};`,
  );
  return [
    'let at = first, to = offset;',
    'for (let group = 0; group < groups; group++) {',
    ...(bits === 0 ? [] : [`    const ${loads.join(', ')};`]),
    ...stores,
    `    at += ${bits};`,
    '    to += 8;',
    '}',
  ].join('\n');
}

function valueCode(bits: number, value: number): string {
  if (bits === 0) return '0';
  const firstBit = value * bits;
  const shift = firstBit & 7;
  const firstByte = firstBit >> 3;
  const lastByte = (firstBit + bits - 1) >> 3;
  const terms: string[] = [];
  for (let byte = firstByte; byte <= lastByte; byte++) {
    const left = (byte - firstByte) * 8 - shift;
    const term = left > 0 ? `b${byte} << ${left}` : left < 0 ? `b${byte} >> ${-left}` : `b${byte}`;
    terms.push(`(${term})`);
  }
  const whole = terms.join(' | ');
  return bits === 32 ? whole : `(${whole}) & ${2 ** bits - 1}`;
}
