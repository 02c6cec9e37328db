import { describe, expect, it } from 'vitest';
import { type Col, call, col, lit, when } from '../../../src/operator/expression-builder.js';
import { BACKINGS, compileTruth, compileValue, evaluate, schemaOf } from './expression-harness.js';

const SCHEMA = schemaOf({
  ...{ a: 'number', b: 'number?', t: 'utf8', u: 'utf8?', f: 'bool', g: 'bool?', i: 'int64' },
  ...{ o: 'utf8??', m: { kind: 'decimal', precision: 30, scale: 2 } },
});

const DAY = (text: string): number => Date.parse(text) / 86_400_000;
const money = { kind: 'decimal', precision: 10, scale: 2 } as const;
const wide = { kind: 'decimal', precision: 30, scale: 2 } as const;

describe('generated code', () => {
  const short = (text: string): string => text.replaceAll(/rows\[row\]\["(\w+)"\]/g, '$1');
  const code = (column: Col): string => short(compileValue(column, SCHEMA).code);
  const where = (column: Col): string => short(compileTruth(column, SCHEMA).code);

  it('is short and checks for null only what can be null', () => {
    expect(code(col('a').add(1).gt(2))).toBe('return (a + 1) > 2;');
    expect(code(col('b').add(1))).toBe('return b == null ? null : b + 1;');
    expect(code(col('a').between(1, 2))).toBe('return a >= 1 && a <= 2;');
    expect(code(when(col('a').gt(1)).then('x').otherwise('y'))).toBe('return a > 1 ? "x" : "y";');
    expect(where(col('a').gt(1).and(col('f')))).toBe('return a > 1 && f;');
    expect(where(col('a').gt(1).or(col('f').not()))).toBe('return a > 1 || !f;');
    expect(where(col('t').eq('x').not())).toBe('return t !== "x";');
    expect(where(col('b').gt(1))).toBe('return b != null && b > 1;');
    expect(where(col('b').gt(1).not())).toBe('return b != null && !(b > 1);');
    expect(where(col('b').isNotNull())).toBe('return b != null;');
  });

  it('reads a decimal written as text once, and fails by row where it is none', () => {
    const rate = compileValue(col('i').mul(lit('0.908').cast('decimal(3,3)')), SCHEMA, [{ i: 5n }]);
    expect(rate.code).not.toMatch(/textToDecimal|0\.908/);
    expect(rate.run()).toEqual(['4.540']);
    const wrong = compileValue(lit('much').cast('decimal(3,3)'), SCHEMA, [{ i: 5n }]);
    expect(() => wrong.run()).toThrow(/much/);
  });

  it('quotes what comes from outside', () => {
    const name = `x"];throw 1;//`;
    const schema = schemaOf({ [name]: 'utf8' });
    const evil = '"; throw 1; //\u2028\ud800';
    const compiled = compileValue(col(name).eq(evil), schema, [{ [name]: evil }]);
    expect(compiled.run()).toEqual([true]);
  });

  it('keeps the column of a plain field, so that nothing is decoded', () => {
    const { value } = compileValue(col('o'), SCHEMA, [], 'plain');
    expect(value?.binary).toEqual({ column: 'oColumn1', row: 'row' });
    expect(compileValue(col('u').coalesce('x'), SCHEMA, [], 'plain').value?.nullable).toBe(false);
  });

  it('compares text with literals and columns without decoding', () => {
    const tests = [
      col('t').eq('ab'),
      col('t').ne(col('u')),
      col('t').gt('b'),
      lit('b').lt(col('t')),
      col('t').startsWith('a'),
      col('t').endsWith('a'),
      col('t').includes('a'),
      col('t').in('a', 'b', 'c'),
      col('t').in('a', 'b', 'c', 'd', 'e', 'f'),
      col('u').isNull(),
    ];
    for (const test of tests) {
      expect(compileTruth(test, SCHEMA, [], 'dictionary').code).not.toContain('textAt');
    }
  });

  it('computes costly functions once per dictionary entry', () => {
    const rows = ['x', 'y', 'x', 'x', 'y', 'x'].map((t) => ({ t }));
    const original = String.prototype.toUpperCase;
    let calls = 0;
    String.prototype.toUpperCase = function toUpperCase(): string {
      calls++;
      return original.call(this);
    };
    try {
      const compiled = compileValue(col('t').upper().concat('!'), SCHEMA, rows, 'dictionary');
      expect(compiled.run()).toEqual(['X!', 'Y!', 'X!', 'X!', 'Y!', 'X!']);
      expect(calls).toBe(2);
    } finally {
      String.prototype.toUpperCase = original;
    }
  });
});

describe('laziness', () => {
  const rows = [
    { ...{ a: 0, b: null, t: 'x', u: null, f: false, g: null, i: 2n ** 63n - 1n }, m: '1.00' },
  ];
  const overflow = col('i').add(1).gt(0);
  const failing = col('t').cast('number').gt(1);

  for (const backing of BACKINGS) {
    it(`computes nothing that is decided before: ${backing}`, () => {
      const value = (column: Col) => compileValue(column, SCHEMA, rows, backing).run()[0];
      expect(value(col('f').and(overflow))).toBe(false);
      expect(value(col('f').not().or(failing))).toBe(true);
      expect(value(col('a').coalesce(col('t').cast('number')))).toBe(0);
      expect(value(when(col('f')).then(col('i').add(1)).otherwise(0))).toBe(0n);
      expect(value(when(col('a').eq(0)).then(1).when(failing).then(2).end())).toBe(1);
      expect(compileTruth(col('f').and(overflow), SCHEMA, rows, backing).run()).toEqual([false]);
      expect(() => value(overflow)).toThrowError(
        expect.objectContaining({ code: 'NUMBER_OVERFLOW' }),
      );
    });
  }

  it('never evaluates the value of a null', () => {
    expect(compileValue(col('u').upper().length().add(1), SCHEMA, rows).run()).toEqual([null]);
    expect(compileValue(col('u').cast('int32'), SCHEMA, rows).run()).toEqual([null]);
    expect(compileValue(col('u').splitPart('-', 0), SCHEMA, rows).run()).toEqual([null]);
    expect(compileTruth(col('u').in('a', 'b', null), SCHEMA, rows).run()).toEqual([false]);
  });
});

describe('values', () => {
  const one = (column: Col, type: unknown, x: unknown) => evaluate(column, { x: type }, { x });
  const x = col('x');

  it('calculates int64 exactly', () => {
    expect(one(x.mul(3), 'int64', 2n ** 60n + 1n)).toBe(3n * 2n ** 60n + 3n);
    expect(one(x.div(2), 'int64', -7n)).toBe(-3n);
    expect(one(x.div(0), 'int64', 1n)).toBe(null);
    expect(one(x.mod(0), 'int64', 1n)).toBe(null);
    expect(one(x.eq(2 ** 53), 'int64', 2n ** 53n + 1n)).toBe(false);
    expect(one(x.gt(1.5), 'int64', 2n)).toBe(true);
    expect(one(x.bitAnd(6n).shiftLeft(62), 'int64', 3n)).toBe(-(2n ** 63n));
    expect(() => one(x.neg(), 'int64', -(2n ** 63n))).toThrowError(/9223372036854775808/);
    expect(() => one(x.sub(1), 'int64', -(2n ** 63n))).toThrowError(/int64 calculation/);
  });

  it('calculates numbers as JavaScript does', () => {
    expect(one(x.div(2), 'int32', 7)).toBe(3.5);
    expect(one(x.div(0), 'number', -1)).toBe(Number.NEGATIVE_INFINITY);
    expect(one(x.mod(3), 'number', -7)).toBe(-1);
    expect(one(x.eq(Number.NaN), 'number', Number.NaN)).toBe(false);
    expect(one(x.ne(Number.NaN), 'number', Number.NaN)).toBe(true);
    expect(one(x.in(Number.NaN, 1, 2, 3, 4, 5, 6), 'number', Number.NaN)).toBe(false);
    expect(one(x.isNaN(), 'number', Number.NaN)).toBe(true);
    expect(one(x.least(1), 'number', Number.NaN)).toBe(Number.NaN);
    expect(one(x.round(2), 'number', 2.675)).toBe(2.68);
    expect(one(x.round(-2), 'number', 1250)).toBe(1300);
    expect(one(x.round(20), 'number', 1e300)).toBe(1e300);
    expect(one(x.pow(2), 'number', -3)).toBe(9);
    expect(one(x.sign(), 'number', -3)).toBe(-1);
    expect(one(x.sqrt(), 'number', 16)).toBe(4);
    expect(one(x.bitXor(5).bitNot(), 'int32', 6)).toBe(-4);
    expect(one(x.shiftRight(1), 'int32', -5)).toBe(-3);
    expect(one(x.ln().exp().add(x.log2()).add(x.log10()), 'number', 1)).toBe(1);
  });

  it('calculates decimals exactly', () => {
    expect(one(x.add(0.1), money, 1020n)).toBe(1030n);
    expect(one(x.mul(x), money, 150n)).toBe('2.2500');
    expect(one(x.mul(1.5), money, 101n)).toBe(1515n);
    expect(one(x.div(3), money, 200n)).toBe(666667n);
    expect(one(x.div(3), money, -200n)).toBe(-666667n);
    expect(one(x.div(0), money, 200n)).toBe(null);
    expect(one(x.mod(3), money, -700n)).toBe(-100n);
    expect(one(x.round(1), money, -25n)).toBe(-3n);
    expect(one(x.round(-1), money, 1500n)).toBe(20n);
    expect(one(x.floor(), money, -150n)).toBe(-2n);
    expect(one(x.ceil(), money, -150n)).toBe(-1n);
    expect(one(x.trunc(), money, -150n)).toBe(-1n);
    expect(one(x.neg().abs().sign(), money, -150n)).toBe(1);
    expect(one(x.gt(1.499), money, 150n)).toBe(true);
    expect(one(x.eq('1.50'), money, 150n)).toBe(true);
    expect(one(x.eq(1.5), money, 150n)).toBe(true);
    expect(one(x.lt(x.cast('number')), money, 150n)).toBe(false);
    expect(one(x.in(1, 1.5), money, 150n)).toBe(true);
    expect(one(x.coalesce(0), wide, '12345678901234567890.12')).toBe('12345678901234567890.12');
    expect(one(x.add(1), wide, '12345678901234567890.12')).toBe('12345678901234567891.12');
    expect(one(x.gt('12345678901234567890.11'), wide, '12345678901234567890.12')).toBe(true);
    const huge = { kind: 'decimal', precision: 38, scale: 0 };
    expect(() => one(x.add(x), huge, '9'.repeat(38))).toThrowError(
      expect.objectContaining({ code: 'NUMBER_OVERFLOW' }),
    );
  });

  it('works on text as JavaScript does', () => {
    const text = (column: Col, value: string) => one(column, 'utf8', value);
    expect(text(x.trimStart().trimEnd().length(), '  a b ')).toBe(3);
    expect(text(x.lower(), 'ÀB')).toBe('àb');
    expect(text(x.replace('$', '$&'), 'a$b')).toBe('a$&b');
    expect(text(x.regexpReplace(/(b+)/, '[$1]'), 'abbcb')).toBe('a[bb]c[b]');
    expect(text(x.regexpExtract(/(\d+)-(\d+)/g, 2), 'a12-34')).toBe('34');
    expect(text(x.matches(/^b/my), 'a\nb')).toBe(true);
    expect(text(x.like('a\\%_'), 'a%😀')).toBe(true);
    expect(text(x.like('a%c'), 'a\nbc')).toBe(true);
    expect(text(x.like('a.c'), 'abc')).toBe(false);
    expect(text(x.ilike('ABC'), 'abc')).toBe(true);
    expect(text(x.splitPart('/', -1), 'a/b/c')).toBe('c');
    expect(text(x.splitPart('/', 3), 'a/b/c')).toBe(null);
    for (const value of ['', '/', 'a', 'a/b', '/a//b/', '///']) {
      for (const separator of ['/', '//', 'a/', '']) {
        for (const index of [0, 1, 1.5, 2, 4, -1, -2, -5]) {
          const part = value.split(separator).at(index) ?? null;
          expect(text(x.splitPart(separator, index), value)).toBe(part);
        }
      }
    }
    expect(text(x.padStart(5, '0').concat(x.padEnd(3)), '42')).toBe('0004242 ');
    expect(text(x.repeat(2.9), 'ab')).toBe('abab');
    expect(text(x.repeat(-1), 'ab')).toBe('');
    expect(text(x.reverse(), 'a😀')).toBe('😀a');
    expect(text(x.substring(1), 'abc')).toBe('bc');
    expect(text(x.gt('\uffff'), '😀')).toBe(false);
    expect(text(x.startsWith('\ud83d'), '😀')).toBe(true);
    expect(text(x.indexOf('c'), '😀c')).toBe(2);
  });

  it('works on bytes', () => {
    const bytes = new Uint8Array([1, 2]);
    expect(one(x.length(), 'bytes', bytes)).toBe(2);
    expect(one(x.cast('utf8'), 'bytes', new Uint8Array([0xc3, 0xa9]))).toBe('é');
    expect(one(x.tryCast('utf8'), 'bytes', new Uint8Array([0xc3]))).toBe(null);
    const schema = schemaOf({ x: 'bytes', y: 'bytes' });
    const rows = [{ x: bytes, y: new Uint8Array([1, 3]) }];
    expect(compileTruth(x.lt(col('y')), schema, rows).run()).toEqual([true]);
    expect(compileTruth(x.eq(x), schema, rows).run()).toEqual([true]);
  });

  it('works on dates in UTC', () => {
    const at = Date.parse('2024-02-29T13:05:09.007Z');
    const day = DAY('2024-02-29');
    expect(one(x.year().add(x.month()).add(x.day()), 'timestamp', at)).toBe(2024 + 2 + 29);
    expect(one(x.quarter(), 'date', DAY('2024-12-01'))).toBe(4);
    expect(one(x.dayOfWeek(), 'date', day)).toBe(4);
    expect(one(x.dayOfYear(), 'date', day)).toBe(60);
    expect(one(x.hour(), 'timestamp', at)).toBe(13);
    expect(one(x.minute(), 'timestamp', at)).toBe(5);
    expect(one(x.second(), 'timestamp', at)).toBe(9);
    expect(one(x.millisecond(), 'timestamp', -1)).toBe(999);
    expect(one(x.truncate('15m'), 'timestamp', at)).toBe(Date.parse('2024-02-29T13:00:00Z'));
    expect(one(x.truncate('week'), 'date', day)).toBe(DAY('2024-02-26'));
    expect(one(x.addDuration('-1d'), 'date', day)).toBe(DAY('2024-02-28'));
    expect(one(x.addDuration('1.5h'), 'timestamp', at)).toBe(at + 5_400_000);
    expect(one(x.addMonths(12), 'date', day)).toBe(DAY('2025-02-28'));
    expect(one(x.addMonths(-1), 'timestamp', at)).toBe(Date.parse('2024-01-29T13:05:09.007Z'));
    expect(one(x.epochMs(), 'date', 1)).toBe(86_400_000);
    expect(one(x.formatDate(), 'timestamp', at)).toBe('2024-02-29');
    expect(one(x.formatDate('DD.MM.YYYY HH:mm:ss.SSS'), 'timestamp', at)).toBe(
      '29.02.2024 13:05:09.007',
    );
    expect(one(x.gte('2024-02-29'), 'date', day)).toBe(true);
    expect(one(x.eq(new Date(at)), 'timestamp', at)).toBe(true);
    expect(one(x.lt(new Date(at)), 'date', day)).toBe(true);
    expect(one(x.in(new Date(at), '2024-02-29'), 'date', day)).toBe(true);
  });
});

describe('casts', () => {
  const cast = (type: unknown, value: unknown, to: string) =>
    evaluate(call('cast', col('x'), to), { x: type }, { x: value });
  const CASTS: readonly (readonly [unknown, unknown, string, unknown])[] = [
    ['utf8', ' 1.5e3 ', 'number', 1500],
    ['utf8', '-Infinity', 'float64', Number.NEGATIVE_INFINITY],
    ['utf8', '0.1', 'float32', Math.fround(0.1)],
    ['utf8', '-3.9', 'int8', -3],
    ['utf8', '9223372036854775807', 'int64', 2n ** 63n - 1n],
    ['utf8', '1.005', 'decimal(10,2)', 101n],
    ['utf8', 'TRUE', 'bool', true],
    ['utf8', '2024-02-29', 'date', DAY('2024-02-29')],
    ['utf8', '2024-02-29T13:00+01:00', 'timestamp', Date.parse('2024-02-29T12:00:00Z')],
    ['number', 0.1, 'decimal(3,2)', 10n],
    ['number', -2.7, 'int32', -2],
    ['number', 2 ** 40, 'int64', 2n ** 40n],
    ['number', 1.5, 'timestamp', 1],
    ['number', 1.5, 'utf8', '1.5'],
    ['number', 0, 'bool', false],
    ['int32', 5, 'int64', 5n],
    ['int64', 5n, 'number', 5],
    ['int64', 5n, 'decimal(20,1)', '5.0'],
    ['bool', true, 'number', 1],
    ['bool', true, 'utf8', 'true'],
    [money, -150n, 'utf8', '-1.50'],
    [money, -150n, 'int64', -1n],
    [money, -155n, 'decimal(10,1)', -16n],
    [money, 150n, 'decimal(30,4)', '1.5000'],
    ['date', 1, 'timestamp', 86_400_000],
    ['date', 1, 'utf8', '1970-01-02'],
    ['timestamp', -1, 'date', -1],
    ['timestamp', 0, 'utf8', '1970-01-01T00:00:00.000Z'],
    ['any', '12', 'number', 12],
    ['any', 12, 'utf8', '12'],
    ['any', 12n, 'int64', 12n],
    ['any', new Date(5), 'timestamp', 5],
    ['any', true, 'bool', true],
    ['any', 1.25, 'decimal(5,1)', 13n],
  ];
  for (const [type, value, to, result] of CASTS) {
    it(`${String(value)} (${JSON.stringify(type)}) to ${to}`, () => {
      expect(cast(type, value, to)).toEqual(result);
    });
  }

  const FAILURES: readonly (readonly [unknown, unknown, string])[] = [
    ['utf8', '0x10', 'number'],
    ['utf8', '', 'number'],
    ['utf8', 'constructor', 'number'],
    ['utf8', '300', 'int8'],
    ['utf8', '9223372036854775808', 'int64'],
    ['utf8', '123.4', 'decimal(3,1)'],
    ['utf8', 'yes', 'bool'],
    ['utf8', '2023-02-29', 'date'],
    ['utf8', '2024-01-01T25:00', 'timestamp'],
    ['number', Number.NaN, 'int32'],
    ['number', Number.NaN, 'decimal(5,1)'],
    ['number', 1e19, 'int64'],
    ['number', 1e16, 'timestamp'],
    ['int64', 2n ** 40n, 'int32'],
    ['timestamp', Number.NaN, 'date'],
    ['any', { a: 1 }, 'utf8'],
    ['any', [], 'number'],
  ];
  for (const [type, value, to] of FAILURES) {
    it(`${String(value)} (${String(type)}) is no ${to}`, () => {
      expect(() => cast(type, value, to)).toThrowError(
        expect.objectContaining({ code: 'CAST_FAILED', message: expect.stringContaining(to) }),
      );
      const tried = evaluate(call('tryCast', col('x'), to), { x: type }, { x: value });
      expect(tried).toBe(null);
    });
  }

  it('names the value and the expression of a failed cast', () => {
    expect(() => cast('utf8', 'many', 'number')).toThrowError(
      '"many" is no number, in cast(x, "number").',
    );
    expect(() => cast(money, 12345n, 'int8')).not.toThrow();
    expect(() => cast(money, 1234500n, 'int8')).toThrowError('12345.00 is no int8');
  });
});
