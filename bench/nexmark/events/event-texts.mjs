/**
 * The texts of events: words people choose from, channels with their urls, random letters. Callers: the column
 * writers, the reference of the tests. Runs on: any thread; pure. Invariant: texts depend on the seed alone, and on
 * nothing that only JavaScript has.
 */
import { mix32, USE, unitOf, useSeed } from './event-random.mjs';

const words = (text) => Object.freeze(text.split(','));

const FIRST_NAMES = words('Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter');
const LAST_NAMES = words('Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris');
export const CITIES = words(
  'Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne',
);
export const STATES = words('AZ,CA,ID,OR,WA,WY');
export const NAMES = Object.freeze(
  FIRST_NAMES.flatMap((first) => LAST_NAMES.map((last) => `${first} ${last}`)),
);

export const HOT_CHANNELS = words('Google,Facebook,Baidu,Apple');
export const COLD_CHANNELS = 10_000;
/** One in so many urls of the other channels does not name its channel. */
const UNNAMED_EVERY = 10;

const GOLDEN = 0x9e3779b9;
const UNIT = 2 ** -32;
const LENGTH_MIN = 3;
/** One letter in so many is a blank. */
const BLANK_EVERY = 13;
const LETTERS = 26;
const LETTER_A = 0x61;
const BLANK = 0x20;
const UNDERSCORE = 0x5f;
const SLASH = 0x2f;
/** Of a url; they have fewer letters than the maximum, so that there is room for what is between them. */
const DIRECTORIES = 3;
const DIRECTORY_LENGTH_MAX = 5;

/**
 * Writes a random text of 3 to `lengthMax - 1` letters, some of them blanks, and returns where it ends. Blanks at its
 * ends are left out.
 *
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} bits random bits that the text follows from
 * @param {number} lengthMax
 */
export function writeWords(bytes, start, bits, lengthMax) {
  let end = writeLetters(bytes, start, bits, lengthMax, BLANK);
  while (end > start && bytes[end - 1] === BLANK) end--;
  let from = start;
  while (from < end && bytes[from] === BLANK) from++;
  if (from === start) return end;
  bytes.copyWithin(start, from, end);
  return start + end - from;
}

/** Two letters come out of each draw; what is left of a draw that is no blank decides the letter. */
function writeLetters(bytes, start, bits, lengthMax, blank) {
  const length = LENGTH_MIN + Math.floor((mix32(bits) >>> 0) * UNIT * (lengthMax - LENGTH_MIN));
  let draw = 0;
  for (let index = 0; index < length; index++) {
    draw = (index & 1) === 0 ? mix32(bits ^ Math.imul((index >> 1) + 1, GOLDEN)) : draw >>> 16;
    const scaled = (draw & 0xffff) * BLANK_EVERY;
    bytes[start + index] =
      scaled < 0x10000 ? blank : LETTER_A + (((scaled & 0xffff) * LETTERS) >>> 16);
  }
  return start + length;
}

/**
 * Random letters that the `extra` fields are cut from, long enough for those of a block.
 *
 * @param {number} seed
 * @param {number} length a multiple of 2
 */
export function letterBlock(seed, length) {
  const bytes = new Uint8Array(length);
  const from = useSeed(seed, USE.letters, 0);
  for (let pair = 0; pair < length / 2; pair++) {
    const draw = mix32(from ^ Math.imul(pair, GOLDEN));
    bytes[2 * pair] = LETTER_A + (((draw >>> 16) * LETTERS) >>> 16);
    bytes[2 * pair + 1] = LETTER_A + (((draw & 0xffff) * LETTERS) >>> 16);
  }
  return bytes;
}

/** The channel of each number: the hot ones first. */
export function channelNames() {
  return [
    ...HOT_CHANNELS,
    ...Array.from({ length: COLD_CHANNELS }, (_, index) => `channel-${index}`),
  ];
}

/**
 * The url of each channel by number. The hot ones do not say which channel they are of, nor do some others.
 *
 * @param {number} seed
 */
export function channelUrls(seed) {
  const from = useSeed(seed, USE.urls, 0);
  const scratch = Buffer.alloc(DIRECTORIES * DIRECTORY_LENGTH_MAX);
  const directories = (channel) => {
    let end = 0;
    for (let part = 0; part < DIRECTORIES; part++) {
      if (part > 0) scratch[end++] = SLASH;
      const bits = mix32(from ^ Math.imul(channel * 4 + part, GOLDEN));
      end = writeLetters(scratch, end, bits, DIRECTORY_LENGTH_MAX, UNDERSCORE);
    }
    return scratch.latin1Slice(0, end);
  };
  const count = HOT_CHANNELS.length + COLD_CHANNELS;
  return Array.from({ length: count }, (_, channel) => {
    const url = `https://www.nexmark.com/${directories(channel)}/item.htm?query=1`;
    if (channel < HOT_CHANNELS.length) return url;
    const isNamed = unitOf(from, channel * 4 + 3) * UNNAMED_EVERY >= 1;
    return isNamed ? `${url}&channel_id=${channelId(channel - HOT_CHANNELS.length)}` : url;
  });
}

/** As in Java: the bits in opposite order, without the sign, which the least integer keeps. */
function channelId(index) {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed |= ((index >>> bit) & 1) << (31 - bit);
  return reversed === -(2 ** 31) ? reversed : Math.abs(reversed);
}
