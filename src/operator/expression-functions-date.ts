/**
 * Date functions of expressions, all in UTC. Callers: `expression-functions.ts`. Runs on: any thread; pure data.
 * In generated code a date is days and a timestamp milliseconds since the epoch.
 */
import type { DataType } from '../record/schema.js';
import {
  DAY_MS,
  parseDateFormat,
  parseDays,
  parseDayTruncation,
  parseSignedDurationMs,
  parseTruncation,
} from './expression-date.js';
import type { ExpressionFunction, LiteralArgument, Signature } from './expression-signature.js';

const NUMBER: DataType = { kind: 'number' };
const UTF8: DataType = { kind: 'utf8' };
const DATE: DataType = { kind: 'date' };
const TIMESTAMP: DataType = { kind: 'timestamp' };

const literal = (meaning: string, prepare: (value: string) => unknown): LiteralArgument => ({
  literal: 'text',
  meaning,
  prepare: (value) => prepare(String(value)),
});

const UNIT = 'a duration such as "15m" or a unit such as "month"';
const DURATION = 'a duration such as "2h" or "-1d"';
const FORMAT = literal('a format such as "YYYY-MM-DD HH:mm:ss.SSS"', parseDateFormat);

const date = (name: string, signatures: readonly Signature[]): ExpressionFunction => ({
  name,
  group: 'date',
  typing: 'signatures',
  signatures,
});

/** A number that follows from the day alone. */
const ofDay = (name: string, helper: string): ExpressionFunction =>
  date(name, [
    { args: ['date'], result: NUMBER, code: `@${helper}($0)` },
    { args: ['timestamp'], result: NUMBER, code: `@${helper}(@dayOfMs($0))` },
  ]);

/** A number that follows from the time of day. */
const ofClock = (name: string, unitMs: number, cycle: number): ExpressionFunction =>
  date(name, [
    { args: ['timestamp'], result: NUMBER, code: `@clockPart($0, ${unitMs}, ${cycle})` },
  ]);

/** Functions of dates and timestamps. */
export const DATE_FUNCTIONS: readonly ExpressionFunction[] = [
  ofDay('year', 'yearOf'),
  ofDay('quarter', 'quarterOf'),
  ofDay('month', 'monthOf'),
  ofDay('day', 'dayOf'),
  ofDay('dayOfWeek', 'dayOfWeek'),
  ofDay('dayOfYear', 'dayOfYear'),
  ofClock('hour', 3_600_000, 24),
  ofClock('minute', 60_000, 60),
  ofClock('second', 1000, 60),
  ofClock('millisecond', 1, 1000),
  date('truncate', [
    {
      args: ['timestamp', literal(UNIT, parseTruncation)],
      result: TIMESTAMP,
      code: '@truncateMs($0, #1)',
    },
    {
      args: ['date', literal(UNIT, parseDayTruncation)],
      result: DATE,
      code: '@truncateDays($0, #1)',
    },
  ]),
  date('addDuration', [
    {
      args: ['timestamp', literal(DURATION, parseSignedDurationMs)],
      result: TIMESTAMP,
      code: '$0 + #1',
    },
    { args: ['date', literal(DURATION, parseDays)], result: DATE, code: '$0 + #1' },
  ]),
  date('addMonths', [
    { args: ['timestamp', 'number'], result: TIMESTAMP, code: '@addMonthsToMs($0, $1)' },
    { args: ['date', 'number'], result: DATE, code: '@addMonthsToDays($0, $1)' },
  ]),
  date('epochMs', [
    { args: ['timestamp'], result: NUMBER, code: '$0' },
    { args: ['date'], result: NUMBER, code: `$0 * ${DAY_MS}` },
  ]),
  {
    ...date('formatDate', [
      { args: ['timestamp'], result: UTF8, code: '@dateText(@dayOfMs($0))' },
      { args: ['date'], result: UTF8, code: '@dateText($0)' },
      { args: ['timestamp', FORMAT], result: UTF8, code: '@formatMs($0, #1)' },
      { args: ['date', FORMAT], result: UTF8, code: '@formatDays($0, #1)' },
    ]),
  },
];
