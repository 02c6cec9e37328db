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

const text = (name: string, signatures: readonly Signature[]): ExpressionFunction => ({
  name,
  group: 'text',
  typing: 'signatures',
  signatures,
  costly: true,
});

const fromText = (code: string, result: DataType = UTF8): Signature => ({
  args: ['utf8'],
  result,
  code,
});

const search = (name: string): ExpressionFunction =>
  text(name, [{ args: ['utf8', 'utf8'], result: BOOL, code: `$0.${name}($1)` }]);

/** Functions of text. */
export const TEXT_FUNCTIONS: readonly ExpressionFunction[] = [
  {
    ...text('length', [
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
  text('upper', [fromText('$0.toUpperCase()')]),
  text('lower', [fromText('$0.toLowerCase()')]),
  text('trim', [fromText('$0.trim()')]),
  text('trimStart', [fromText('$0.trimStart()')]),
  text('trimEnd', [fromText('$0.trimEnd()')]),
  {
    ...text('concat', [{ args: ['utf8'], rest: 'utf8', result: UTF8, code: '@concat($*)' }]),
    costly: false,
  },
  text('substring', [
    { args: ['utf8', 'number'], result: UTF8, code: '$0.substring($1)' },
    { args: ['utf8', 'number', 'number'], result: UTF8, code: '$0.substring($1, $2)' },
  ]),
  search('startsWith'),
  search('endsWith'),
  search('includes'),
  text('indexOf', [{ args: ['utf8', 'utf8'], result: NUMBER, code: '$0.indexOf($1)' }]),
  text('replace', [
    { args: ['utf8', 'utf8', 'utf8'], result: UTF8, code: '@replaceText($0, $1, $2)' },
  ]),
  {
    ...text('split', [{ args: ['utf8', 'utf8'], result: TEXTS, code: '$0.split($1)' }]),
    // Results that are remembered would be shared, and a list may be changed by its owner.
    costly: false,
  },
  {
    ...text('words', [fromText('@words($0)', TEXTS)]),
    costly: false,
  },
  text('splitPart', [
    {
      args: ['utf8', 'utf8', 'number'],
      result: UTF8,
      code: '@splitPart($0, $1, $2)',
      mayBeNull: true,
    },
  ]),
  text('like', [{ args: ['utf8', like('su')], result: BOOL, code: '#1.test($0)' }]),
  text('ilike', [{ args: ['utf8', like('siu')], result: BOOL, code: '#1.test($0)' }]),
  text('matches', [{ args: ['utf8', REGEXP], result: BOOL, code: '#1.test($0)' }]),
  text('regexpExtract', [
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
  ]),
  text('regexpReplace', [
    { args: ['utf8', REGEXP_ALL, 'utf8'], result: UTF8, code: '$0.replace(#1, $2)' },
  ]),
  text('padStart', [
    { args: ['utf8', 'number'], result: UTF8, code: '$0.padStart($1)' },
    { args: ['utf8', 'number', 'utf8'], result: UTF8, code: '$0.padStart($1, $2)' },
  ]),
  text('padEnd', [
    { args: ['utf8', 'number'], result: UTF8, code: '$0.padEnd($1)' },
    { args: ['utf8', 'number', 'utf8'], result: UTF8, code: '$0.padEnd($1, $2)' },
  ]),
  text('repeat', [{ args: ['utf8', 'number'], result: UTF8, code: '@repeatText($0, $1)' }]),
  text('reverse', [fromText('@reverseText($0)')]),
];
