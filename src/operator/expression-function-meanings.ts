/**
 * What each function of expressions does, with an example: apart from the table in `expression-functions.ts`, because
 * every thread of a run loads that and reads no prose. Callers: the documentation generator. Runs on: any thread; pure.
 */

/** One or two sentences, and a call in the fluent form. */
export interface FunctionMeaning {
  readonly doc: string;
  readonly example: string;
}

/** Those of every function, by name. */
export const FUNCTION_MEANINGS: Readonly<Record<string, FunctionMeaning>> = {
  eq: {
    doc: 'Equal. Numbers of different kinds compare by value.',
    example: `col('price').eq(100)`,
  },
  ne: {
    doc: 'Not equal.',
    example: `col('price').ne(100)`,
  },
  lt: {
    doc: 'Less than.',
    example: `col('price').lt(100)`,
  },
  lte: {
    doc: 'At most.',
    example: `col('price').lte(100)`,
  },
  gt: {
    doc: 'Greater than.',
    example: `col('price').gt(100)`,
  },
  gte: {
    doc: 'At least.',
    example: `col('price').gte(100)`,
  },
  in: {
    doc: 'Equal to one of the values. Null when none is equal but one of them is null.',
    example: `col('origin').in('ATL', 'ORD')`,
  },
  and: {
    doc:
      'True when all are true, false when one is false, else null. Stops at the ' + 'first false.',
    example: `col('a').gt(1).and(col('b').lt(2))`,
  },
  or: {
    doc:
      'True when one is true, false when all are false, else null. Stops at the ' + 'first true.',
    example: `col('a').gt(1).or(col('b').lt(2))`,
  },
  not: {
    doc: 'True for false, false for true.',
    example: `col('late').not()`,
  },
  isNull: {
    doc: 'Whether the value is null or missing. Never null.',
    example: `col('price').isNull()`,
  },
  isNotNull: {
    doc: 'Whether the value is there. Never null.',
    example: `col('price').isNotNull()`,
  },
  coalesce: {
    doc: 'The first value that is not null. Later values are not computed.',
    example: `col('price').coalesce(0)`,
  },
  add: {
    doc: 'Sum.',
    example: `col('a').add(col('b'))`,
  },
  sub: {
    doc: 'Difference.',
    example: `col('a').sub(col('b'))`,
  },
  mul: {
    doc: 'Product.',
    example: `col('a').mul(col('b'))`,
  },
  div: {
    doc:
      'Quotient. Numbers keep their fraction, int64 cuts it off. Division of int64 ' +
      'and decimals by zero is null.',
    example: `col('a').div(col('b'))`,
  },
  mod: {
    doc: 'Remainder, with the sign of the dividend; int64 and decimals modulo zero are ' + 'null.',
    example: `col('a').mod(col('b'))`,
  },
  neg: {
    doc: 'The value with the opposite sign.',
    example: `col('x').neg()`,
  },
  abs: {
    doc: 'The value without its sign.',
    example: `col('x').abs()`,
  },
  sign: {
    doc: '-1, 0 or 1.',
    example: `col('x').sign()`,
  },
  round: {
    doc:
      'The nearest whole number, or the nearest with the given digits after the ' +
      'point (before it when negative). Halves go up, as with Math.round; halves of ' +
      'decimals go away from zero.',
    example: `col('price').round(2)`,
  },
  floor: {
    doc: 'The greatest whole number that is not greater.',
    example: `col('x').floor()`,
  },
  ceil: {
    doc: 'The least whole number that is not less.',
    example: `col('x').ceil()`,
  },
  trunc: {
    doc: 'The whole part.',
    example: `col('x').trunc()`,
  },
  sqrt: {
    doc: 'Square root; NaN of a negative number.',
    example: `col('x').sqrt()`,
  },
  pow: {
    doc: 'Power.',
    example: `col('x').pow(2)`,
  },
  exp: {
    doc: 'The power of e.',
    example: `col('x').exp()`,
  },
  ln: {
    doc: 'Natural logarithm.',
    example: `col('x').ln()`,
  },
  log10: {
    doc: 'Logarithm to base 10.',
    example: `col('x').log10()`,
  },
  log2: {
    doc: 'Logarithm to base 2.',
    example: `col('x').log2()`,
  },
  isNaN: {
    doc: 'Whether the number is NaN.',
    example: `col('x').isNaN()`,
  },
  least: {
    doc: 'The least of the values, null when one is null, NaN when one is NaN.',
    example: `col('a').least(col('b'), 10)`,
  },
  greatest: {
    doc: 'The greatest of the values, null when one is null, NaN when one is NaN.',
    example: `col('a').greatest(col('b'), 10)`,
  },
  bitAnd: {
    doc: 'Bits set in both; numbers as 32 bits, int64 as 64.',
    example: `col('flags').bitAnd(4)`,
  },
  bitOr: {
    doc: 'Bits set in one of both; numbers as 32 bits, int64 as 64.',
    example: `col('flags').bitOr(4)`,
  },
  bitXor: {
    doc: 'Bits set in exactly one; numbers as 32 bits, int64 as 64.',
    example: `col('flags').bitXor(4)`,
  },
  bitNot: {
    doc: 'All bits turned; numbers as 32 bits, int64 as 64.',
    example: `col('flags').bitNot()`,
  },
  shiftLeft: {
    doc: 'Bits moved left; numbers within 32 bits, int64 within 64.',
    example: `col('flags').shiftLeft(4)`,
  },
  shiftRight: {
    doc: 'Bits moved right, keeping the sign; numbers within 32 bits, int64 within 64.',
    example: `col('flags').shiftRight(4)`,
  },
  length: {
    doc: 'Number of UTF-16 code units of a text, of bytes of a bytes value.',
    example: `col('name').length()`,
  },
  upper: {
    doc: 'In upper case, by the rules of Unicode, whatever the locale.',
    example: `col('name').upper()`,
  },
  lower: {
    doc: 'In lower case, by the rules of Unicode, whatever the locale.',
    example: `col('name').lower()`,
  },
  trim: {
    doc: 'Without white space at both ends.',
    example: `col('name').trim()`,
  },
  trimStart: {
    doc: 'Without white space at the start.',
    example: `col('name').trimStart()`,
  },
  trimEnd: {
    doc: 'Without white space at the end.',
    example: `col('name').trimEnd()`,
  },
  concat: {
    doc: 'The texts one after the other; null when one is null.',
    example: `col('first').concat(' ', col('last'))`,
  },
  substring: {
    doc:
      'From a start to before an end, or to the end of the text, as substring in ' + 'JavaScript.',
    example: `col('name').substring(0, 3)`,
  },
  startsWith: {
    doc: 'Whether the text starts with another.',
    example: `col('name').startsWith('ab')`,
  },
  endsWith: {
    doc: 'Whether the text ends with another.',
    example: `col('name').endsWith('ab')`,
  },
  includes: {
    doc: 'Whether the text has another within.',
    example: `col('name').includes('ab')`,
  },
  indexOf: {
    doc: 'Position of the first occurrence of another text, -1 when there is none.',
    example: `col('name').indexOf('-')`,
  },
  replace: {
    doc: 'Every occurrence of a text replaced by another, both taken literally.',
    example: `col('name').replace('-', ' ')`,
  },
  split: {
    doc:
      'List of the parts between separators, empty ones included, as split in ' +
      'JavaScript. In explode no list is built.',
    example: `col('line').split(' ')`,
  },
  words: {
    doc:
      'List of the parts between runs of white space, without empty ones. In ' +
      'explode no list is built.',
    example: `col('line').words()`,
  },
  splitPart: {
    doc:
      'Part of the text between separators, counted from 0, from the end when ' +
      'negative; null when there are not so many parts.',
    example: `col('path').splitPart('/', -1)`,
  },
  like: {
    doc:
      'Whether the whole text matches an SQL pattern: % is any text, _ one ' +
      'character, \\ takes the next character literally.',
    example: `col('name').like('A%')`,
  },
  ilike: {
    doc: 'As like, ignoring case.',
    example: `col('name').ilike('a%')`,
  },
  matches: {
    doc: 'Whether a regular expression matches somewhere in the text.',
    example: `col('name').matches(/^[A-Z]+$/)`,
  },
  regexpExtract: {
    doc:
      'What a regular expression matches first, or one of its groups; null when it ' +
      'does not match.',
    example: `col('url').regexpExtract(/id=(\\d+)/, 1)`,
  },
  regexpReplace: {
    doc:
      'Every match of a regular expression replaced; $1 and $& in the replacement ' +
      'stand for a group and for the match.',
    example: `col('name').regexpReplace(/\\s+/, ' ')`,
  },
  padStart: {
    doc: 'Filled up at the start to a length, with blanks or another text.',
    example: `col('code').padStart(5, '0')`,
  },
  padEnd: {
    doc: 'Filled up at the end to a length, with blanks or another text.',
    example: `col('code').padEnd(5)`,
  },
  repeat: {
    doc: 'The text a number of times; empty for zero, negative numbers and NaN.',
    example: `col('mark').repeat(3)`,
  },
  reverse: {
    doc: 'The characters (code points) in opposite order.',
    example: `col('name').reverse()`,
  },
  year: {
    doc: 'Year.',
    example: `col('at').year()`,
  },
  quarter: {
    doc: 'Quarter, 1 to 4.',
    example: `col('at').quarter()`,
  },
  month: {
    doc: 'Month, 1 to 12.',
    example: `col('at').month()`,
  },
  day: {
    doc: 'Day of the month, 1 to 31.',
    example: `col('at').day()`,
  },
  dayOfWeek: {
    doc: 'Day of the week, 0 (Sunday) to 6 (Saturday).',
    example: `col('at').dayOfWeek()`,
  },
  dayOfYear: {
    doc: 'Day of the year, 1 to 366.',
    example: `col('at').dayOfYear()`,
  },
  hour: {
    doc: 'Hour, 0 to 23.',
    example: `col('at').hour()`,
  },
  minute: {
    doc: 'Minute, 0 to 59.',
    example: `col('at').minute()`,
  },
  second: {
    doc: 'Second, 0 to 59.',
    example: `col('at').second()`,
  },
  millisecond: {
    doc: 'Millisecond, 0 to 999.',
    example: `col('at').millisecond()`,
  },
  truncate: {
    doc:
      'The start of the unit the moment lies in: a duration such as 15m, 1h or 1d ' +
      'counted from the epoch, or second, minute, hour, day, week (from Monday), ' +
      'month, quarter, year.',
    example: `col('at').truncate('1h')`,
  },
  addDuration: {
    doc: 'Later by a duration, earlier when it starts with a minus sign.',
    example: `col('at').addDuration('2h')`,
  },
  addMonths: {
    doc: 'Later by months, earlier when negative. The last day of a month that is too ' + 'short.',
    example: `col('at').addMonths(1)`,
  },
  epochMs: {
    doc: 'Milliseconds since 1970-01-01.',
    example: `col('at').epochMs()`,
  },
  formatDate: {
    doc: 'As text: YYYY-MM-DD, or by a format of YYYY MM DD HH mm ss SSS.',
    example: `col('at').formatDate('YYYY-MM')`,
  },
  get: {
    doc: 'A field of a nested object. Null where the object or the field is.',
    example: `col('bid').get('price')`,
  },
  cast: {
    doc:
      'The value as another type: number kinds, int64, decimal(p,s), utf8, bool, ' +
      'date, timestamp and bytes from utf8. Whole types cut fractions off, decimals ' +
      'round halves away from zero. A value that cannot be converted fails the job ' +
      'with CAST_FAILED.',
    example: `col('price').cast('decimal(10,2)')`,
  },
  tryCast: {
    doc: 'As cast, but null where the value cannot be converted.',
    example: `col('price').tryCast('number')`,
  },
};
