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

const date = (
  name: string,
  doc: string,
  signatures: readonly Signature[],
  example = `col('at').${name}()`,
): ExpressionFunction => ({ name, group: 'date', doc, example, typing: 'signatures', signatures });

/** A number that follows from the day alone. */
const ofDay = (name: string, helper: string, doc: string): ExpressionFunction =>
  date(name, doc, [
    { args: ['date'], result: NUMBER, code: `@${helper}($0)` },
    { args: ['timestamp'], result: NUMBER, code: `@${helper}(@dayOfMs($0))` },
  ]);

/** A number that follows from the time of day. */
const ofClock = (name: string, unitMs: number, cycle: number, doc: string): ExpressionFunction =>
  date(name, doc, [
    { args: ['timestamp'], result: NUMBER, code: `@clockPart($0, ${unitMs}, ${cycle})` },
  ]);

/** Functions of dates and timestamps. */
export const DATE_FUNCTIONS: readonly ExpressionFunction[] = [
  ofDay('year', 'yearOf', 'Year.'),
  ofDay('quarter', 'quarterOf', 'Quarter, 1 to 4.'),
  ofDay('month', 'monthOf', 'Month, 1 to 12.'),
  ofDay('day', 'dayOf', 'Day of the month, 1 to 31.'),
  ofDay('dayOfWeek', 'dayOfWeek', 'Day of the week, 0 (Sunday) to 6 (Saturday).'),
  ofDay('dayOfYear', 'dayOfYear', 'Day of the year, 1 to 366.'),
  ofClock('hour', 3_600_000, 24, 'Hour, 0 to 23.'),
  ofClock('minute', 60_000, 60, 'Minute, 0 to 59.'),
  ofClock('second', 1000, 60, 'Second, 0 to 59.'),
  ofClock('millisecond', 1, 1000, 'Millisecond, 0 to 999.'),
  date(
    'truncate',
    'The start of the unit the moment lies in: a duration such as 15m, 1h or 1d counted from the ' +
      'epoch, or second, minute, hour, day, week (from Monday), month, quarter, year.',
    [
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
    ],
    `col('at').truncate('1h')`,
  ),
  date(
    'addDuration',
    'Later by a duration, earlier when it starts with a minus sign.',
    [
      {
        args: ['timestamp', literal(DURATION, parseSignedDurationMs)],
        result: TIMESTAMP,
        code: '$0 + #1',
      },
      { args: ['date', literal(DURATION, parseDays)], result: DATE, code: '$0 + #1' },
    ],
    `col('at').addDuration('2h')`,
  ),
  date(
    'addMonths',
    'Later by months, earlier when negative. The last day of a month that is too short.',
    [
      { args: ['timestamp', 'number'], result: TIMESTAMP, code: '@addMonthsToMs($0, $1)' },
      { args: ['date', 'number'], result: DATE, code: '@addMonthsToDays($0, $1)' },
    ],
    `col('at').addMonths(1)`,
  ),
  date('epochMs', 'Milliseconds since 1970-01-01.', [
    { args: ['timestamp'], result: NUMBER, code: '$0' },
    { args: ['date'], result: NUMBER, code: `$0 * ${DAY_MS}` },
  ]),
  {
    ...date(
      'formatDate',
      'As text: YYYY-MM-DD, or by a format of YYYY MM DD HH mm ss SSS.',
      [
        { args: ['timestamp'], result: UTF8, code: '@dateText(@dayOfMs($0))' },
        { args: ['date'], result: UTF8, code: '@dateText($0)' },
        { args: ['timestamp', FORMAT], result: UTF8, code: '@formatMs($0, #1)' },
        { args: ['date', FORMAT], result: UTF8, code: '@formatDays($0, #1)' },
      ],
      `col('at').formatDate('YYYY-MM')`,
    ),
  },
];
