import { describe, expect, it } from 'vitest';
import {
  GRAMMAR_JSON,
  GRAMMAR_LOOSE,
  parseInteger,
  parseNumber,
  parseRounded,
} from '../../../../src/format/bytes/number-bytes.js';

const json = (text: string): number => parseNumber(Buffer.from(text), 0, text.length, GRAMMAR_JSON);
const loose = (text: string): number =>
  parseNumber(Buffer.from(text), 0, text.length, GRAMMAR_LOOSE);

describe('parseNumber', () => {
  it('reads what JSON allows', () => {
    for (const text of [
      '0',
      '-0',
      '12',
      '1.5',
      '-0.001',
      '1e3',
      '1E+3',
      '1.5e-7',
      '123456789012345680',
      '-9007199254740994',
      '100000000000000000000',
      '1180591620717411303424',
      '0.1234567890123456789',
      '1e400',
      '5e-324',
    ]) {
      expect(Object.is(json(text), Number(text)), text).toBe(true);
    }
  });

  it('refuses what JSON does not allow', () => {
    for (const text of [
      '',
      '-',
      '+1',
      '.5',
      '5.',
      '01',
      '-01',
      '00',
      '1e',
      '1e+',
      '1.2.3',
      '1 ',
      'NaN',
      'Infinity',
      '0x10',
      '1_0',
    ]) {
      expect(json(text), text).toBeNaN();
    }
  });

  it('reads no whole number that a double does not hold, unless asked to round', () => {
    const tooExact = ['9007199254740993', '-123456789012345678', '9'.repeat(309)];
    for (const text of tooExact) {
      const bytes = Buffer.from(text);
      expect(json(text), text).toBeNaN();
      expect(loose(text), text).toBeNaN();
      expect(parseRounded(bytes, 0, bytes.length, GRAMMAR_JSON), text).toBe(Number(text));
    }
    for (const text of ['', '-', '00000000000000000001', '+9007199254740993', 'NaN']) {
      expect(parseRounded(Buffer.from(text), 0, text.length, GRAMMAR_JSON), text).toBeNaN();
    }
  });

  it('reads looser forms in CSV, but keeps leading zeros text', () => {
    for (const text of ['+1', '.5', '5.', '-.5e2', '5.e1']) {
      expect(loose(text), text).toBe(Number(text));
    }
    for (const text of ['007', '', '.', '+', 'e5', '1,5']) expect(loose(text), text).toBeNaN();
  });

  it('stays within its range', () => {
    expect(parseNumber(Buffer.from('x123y'), 1, 4, GRAMMAR_JSON)).toBe(123);
    expect(parseNumber(Buffer.from('1.5e7'), 0, 3, GRAMMAR_JSON)).toBe(1.5);
  });
});

describe('parseInteger', () => {
  it('is exact beyond doubles', () => {
    const text = '-9223372036854775808';
    expect(parseInteger(Buffer.from(text), 0, text.length)).toBe(-(2n ** 63n));
    expect(parseInteger(Buffer.from('+5'), 0, 2)).toBe(5n);
  });

  it('refuses what is no integer', () => {
    for (const text of ['', '-', '1.0', '1e3', 'x']) {
      expect(parseInteger(Buffer.from(text), 0, text.length), text).toBeNull();
    }
  });
});
