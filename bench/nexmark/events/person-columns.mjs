/** The fields of people. Callers: `event-columns.mjs`. Runs on: the slot's thread. */
import {
  Codes,
  DictionaryWriter,
  ExtraWriter,
  NumberWriter,
  OwnTexts,
  TextWriter,
} from './column-writers.mjs';
import { bitsOf, mix32, USE, unitOf, useSeed } from './event-random.mjs';
import { FIRST_ID, PERSON } from './event-settings.mjs';
import { CITIES, NAMES, STATES, writeWords } from './event-texts.mjs';

const USER_MAX = 7;
const HOST_MAX = 5;
const EMAIL_MAX = 20;
const EMAIL_END = Uint8Array.from(Buffer.from('.com'));
const AT = 0x40;
const BLANK = 0x20;
const DIGIT_0 = 0x30;
const CARD_GROUPS = 4;
const CARD_BYTES = 19;
/** Size of a person's id, as the original reckons it. */
const FIXED_BYTES = 8;

/** By field: what makes its column. `texts` are those that several fields need. */
export const PERSON_WRITERS = {
  id: (field) => new NumberWriter(field, fillIds),
  name: (field, settings) => choices(field, NAMES, settings, USE.personName),
  emailAddress: (field, settings, texts) => new TextWriter(field, emails(settings, texts)),
  creditCard: (field, settings) => new TextWriter(field, cards(settings)),
  city: (field, settings) => choices(field, CITIES, settings, USE.personCity),
  state: (field, settings) => choices(field, STATES, settings, USE.personState),
  extra: (field, settings, shared) =>
    new ExtraWriter(field, PERSON, {
      settings,
      texts: shared,
      average: settings.personBytes,
      sizes: (rows, texts) => {
        const addresses = emails(settings, texts).of(rows);
        const words = wordBytes(rows, settings);
        return (row) => FIXED_BYTES + CARD_BYTES + addresses.length(row) + words(row);
      },
      lengthUse: USE.personExtra,
      startUse: USE.personExtraStart,
    }),
};

function fillIds({ cycles, rowsOf, countOf }, values) {
  for (let index = 0; index < countOf[PERSON]; index++) {
    const row = rowsOf[PERSON][index];
    values[row] = FIRST_ID + cycles[row];
  }
}

function choices(field, texts, { seed }, use) {
  const codes = new Codes(({ from, lows, rowsOf, countOf }, values) => {
    const bits = useSeed(seed, use, from);
    for (let index = 0; index < countOf[PERSON]; index++) {
      const row = rowsOf[PERSON][index];
      values[row] = 1 + Math.floor(unitOf(bits, lows[row]) * texts.length);
    }
  });
  return new DictionaryWriter(field, texts, codes);
}

/** Bytes of a person's name, city and state together. */
function wordBytes({ from, lows }, { seed }) {
  const chosen = [
    [NAMES, useSeed(seed, USE.personName, from)],
    [CITIES, useSeed(seed, USE.personCity, from)],
    [STATES, useSeed(seed, USE.personState, from)],
  ];
  return (row) =>
    chosen.reduce((bytes, [texts, bits]) => {
      return bytes + texts[Math.floor(unitOf(bits, lows[row]) * texts.length)].length;
    }, 0);
}

function emails({ seed }, texts) {
  const known = texts.get(USE.personEmailUser);
  if (known !== undefined) return known;
  const made = new OwnTexts(PERSON, EMAIL_MAX, (from) => {
    const user = useSeed(seed, USE.personEmailUser, from);
    const host = useSeed(seed, USE.personEmailHost, from);
    return (bytes, start, low) => {
      let end = writeWords(bytes, start, bitsOf(user, low), USER_MAX);
      bytes[end++] = AT;
      end = writeWords(bytes, end, bitsOf(host, low), HOST_MAX);
      bytes.set(EMAIL_END, end);
      return end + EMAIL_END.length;
    };
  });
  texts.set(USE.personEmailUser, made);
  return made;
}

/** Four groups of four digits. */
function cards({ seed }) {
  return new OwnTexts(PERSON, CARD_BYTES, (from) => {
    const use = useSeed(seed, USE.personCard, from);
    return (bytes, start, low) => {
      const bits = bitsOf(use, low);
      let end = start;
      for (let group = 0; group < CARD_GROUPS; group++) {
        if (group > 0) bytes[end++] = BLANK;
        let number = Math.floor((mix32(bits ^ (group + 1)) >>> 0) * 2 ** -32 * 10_000);
        for (let digit = 3; digit >= 0; digit--) {
          bytes[end + digit] = DIGIT_0 + (number % 10);
          number = Math.floor(number / 10);
        }
        end += 4;
      }
      return end;
    };
  });
}
