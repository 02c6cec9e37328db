/**
 * Text functions of expressions. Callers: `expression-functions.ts`. Runs on: any thread; pure data. Lengths
 * and positions count UTF-16 code units from 0, as in JavaScript.
 */
import type { DataType } from '../record/schema.js';
import { likePattern, plainPattern, replacePattern } from './expression-pattern.js';
import type { ExpressionFunction, LiteralArgument, Signature } from './expression-signature.js';

const UTF8: DataType = { kind: 'utf8' };
const NUMBER: DataType = { kind: 'number' };
const BOOL: DataType = { kind: 'bool' };
const TEXTS: DataType = { kind: 'list', item: { type: UTF8, nullable: false } };

const REGEXP: LiteralArgument = {
  literal: 'text',
  meaning: 'a regular expression such as /^a+$/i',
  prepare: (value) => plainPattern(String(value)),
};
const REGEXP_ALL: LiteralArgument = {
  ...REGEXP,
  prepare: (value) => replacePattern(String(value)),
};
const like = (flags: string): LiteralArgument => ({
  literal: 'text',
  meaning: `a pattern such as 'a%' with % for any text and _ for one character`,
  prepare: (value) => likePattern(String(value), flags),
});
const GROUP: LiteralArgument = {
  literal: 'whole',
  meaning: 'the number of a group',
  prepare: (value) => Number(value),
};

const text = (
  name: string,
  doc: string,
  signatures: readonly Signature[],
  example = `col('name').${name}()`,
): ExpressionFunction => ({
  name,
  group: 'text',
  doc,
  example,
  typing: 'signatures',
  signatures,
  costly: true,
});

const fromText = (code: string, result: DataType = UTF8): Signature => ({
  args: ['utf8'],
  result,
  code,
});

const search = (name: string, doc: string): ExpressionFunction => ({
  ...text(
    name,
    doc,
    [{ args: ['utf8', 'utf8'], result: BOOL, code: `$0.${name}($1)` }],
    `col('name').${name}('ab')`,
  ),
});

/** Functions of text. */
export const TEXT_FUNCTIONS: readonly ExpressionFunction[] = [
  {
    ...text('length', 'Number of UTF-16 code units of a text, of bytes of a bytes value.', [
      { ...fromText('$0.length', NUMBER), binaryCode: '@textLength($c, $r)' },
      {
        args: ['bytes'],
        result: NUMBER,
        code: '$0.length',
        binaryCode: '@binaryLength($c, $r)',
      },
    ]),
    costly: false,
  },
  text('upper', 'In upper case, by the rules of Unicode, whatever the locale.', [
    fromText('$0.toUpperCase()'),
  ]),
  text('lower', 'In lower case, by the rules of Unicode, whatever the locale.', [
    fromText('$0.toLowerCase()'),
  ]),
  text('trim', 'Without white space at both ends.', [fromText('$0.trim()')]),
  text('trimStart', 'Without white space at the start.', [fromText('$0.trimStart()')]),
  text('trimEnd', 'Without white space at the end.', [fromText('$0.trimEnd()')]),
  {
    ...text(
      'concat',
      'The texts one after the other; null when one is null.',
      [{ args: ['utf8'], rest: 'utf8', result: UTF8, code: '@concat($*)' }],
      `col('first').concat(' ', col('last'))`,
    ),
    costly: false,
  },
  text(
    'substring',
    'From a start to before an end, or to the end of the text, as substring in JavaScript.',
    [
      { args: ['utf8', 'number'], result: UTF8, code: '$0.substring($1)' },
      { args: ['utf8', 'number', 'number'], result: UTF8, code: '$0.substring($1, $2)' },
    ],
    `col('name').substring(0, 3)`,
  ),
  search('startsWith', 'Whether the text starts with another.'),
  search('endsWith', 'Whether the text ends with another.'),
  search('includes', 'Whether the text has another within.'),
  text(
    'indexOf',
    'Position of the first occurrence of another text, -1 when there is none.',
    [{ args: ['utf8', 'utf8'], result: NUMBER, code: '$0.indexOf($1)' }],
    `col('name').indexOf('-')`,
  ),
  text(
    'replace',
    'Every occurrence of a text replaced by another, both taken literally.',
    [{ args: ['utf8', 'utf8', 'utf8'], result: UTF8, code: '@replaceText($0, $1, $2)' }],
    `col('name').replace('-', ' ')`,
  ),
  {
    ...text(
      'split',
      'List of the parts between separators, empty ones included, as split in JavaScript. In ' +
        'explode no list is built.',
      [{ args: ['utf8', 'utf8'], result: TEXTS, code: '$0.split($1)' }],
      `col('line').split(' ')`,
    ),
    // Results that are remembered would be shared, and a list may be changed by its owner.
    costly: false,
  },
  {
    ...text(
      'words',
      'List of the parts between runs of white space, without empty ones. In explode no list is ' +
        'built.',
      [fromText('@words($0)', TEXTS)],
      `col('line').words()`,
    ),
    costly: false,
  },
  text(
    'splitPart',
    'Part of the text between separators, counted from 0, from the end when negative; null when ' +
      'there are not so many parts.',
    [
      {
        args: ['utf8', 'utf8', 'number'],
        result: UTF8,
        code: '@splitPart($0, $1, $2)',
        mayBeNull: true,
      },
    ],
    `col('path').splitPart('/', -1)`,
  ),
  text(
    'like',
    'Whether the whole text matches an SQL pattern: % is any text, _ one character, \\ takes the ' +
      'next character literally.',
    [{ args: ['utf8', like('su')], result: BOOL, code: '#1.test($0)' }],
    `col('name').like('A%')`,
  ),
  text(
    'ilike',
    'As like, ignoring case.',
    [{ args: ['utf8', like('siu')], result: BOOL, code: '#1.test($0)' }],
    `col('name').ilike('a%')`,
  ),
  text(
    'matches',
    'Whether a regular expression matches somewhere in the text.',
    [{ args: ['utf8', REGEXP], result: BOOL, code: '#1.test($0)' }],
    `col('name').matches(/^[A-Z]+$/)`,
  ),
  text(
    'regexpExtract',
    'What a regular expression matches first, or one of its groups; null when it does not match.',
    [
      {
        args: ['utf8', REGEXP],
        result: UTF8,
        code: '@regexpExtract($0, #1, 0)',
        mayBeNull: true,
      },
      {
        args: ['utf8', REGEXP, GROUP],
        result: UTF8,
        code: '@regexpExtract($0, #1, #2)',
        mayBeNull: true,
      },
    ],
    `col('url').regexpExtract(/id=(\\d+)/, 1)`,
  ),
  text(
    'regexpReplace',
    'Every match of a regular expression replaced; $1 and $& in the replacement stand for a ' +
      'group and for the match.',
    [{ args: ['utf8', REGEXP_ALL, 'utf8'], result: UTF8, code: '$0.replace(#1, $2)' }],
    `col('name').regexpReplace(/\\s+/, ' ')`,
  ),
  text(
    'padStart',
    'Filled up at the start to a length, with blanks or another text.',
    [
      { args: ['utf8', 'number'], result: UTF8, code: '$0.padStart($1)' },
      { args: ['utf8', 'number', 'utf8'], result: UTF8, code: '$0.padStart($1, $2)' },
    ],
    `col('code').padStart(5, '0')`,
  ),
  text(
    'padEnd',
    'Filled up at the end to a length, with blanks or another text.',
    [
      { args: ['utf8', 'number'], result: UTF8, code: '$0.padEnd($1)' },
      { args: ['utf8', 'number', 'utf8'], result: UTF8, code: '$0.padEnd($1, $2)' },
    ],
    `col('code').padEnd(5)`,
  ),
  text(
    'repeat',
    'The text a number of times; empty for zero, negative numbers and NaN.',
    [{ args: ['utf8', 'number'], result: UTF8, code: '@repeatText($0, $1)' }],
    `col('mark').repeat(3)`,
  ),
  text('reverse', 'The characters (code points) in opposite order.', [
    fromText('@reverseText($0)'),
  ]),
];
