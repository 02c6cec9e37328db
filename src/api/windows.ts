/**
 * Which windows a record is in: `tumbling('1m')`, `sliding('1m', '10s')`, `session('30s')` and others. They are
 * values, to be given to `window(...)`. Callers: job functions. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { type Duration, formatDuration, parseDurationMs } from '../base/units.js';
import {
  cumulativeAssigner,
  globalAssigner,
  sessionAssigner,
  type WindowAssigner,
} from '../operator/window/assigner.js';
import { countEvictor, type Evictor } from '../operator/window/evictor.js';
import { countTrigger, purgingTrigger, type Trigger } from '../operator/window/trigger.js';
import type { SessionSpec } from '../operator/operator-spec.js';
import type { WindowGrid } from '../time/window-arithmetic.js';

/** Options of windows that go by a clock. */
export interface WindowTimeOptions {
  /** Whose time counts: that of the records (the default), or the wall clock when a record arrives. */
  readonly time?: 'event' | 'processing';
  /**
   * What windows of processing time that are not over do with what they hold when the input ends: `'drop'` it, as
   * Flink does, or `'fire'`, that is give it as their result; `'drop'` when absent. Windows of event time always
   * give it.
   */
  readonly endOfInput?: 'drop' | 'fire';
}

/** Options of windows that are aligned. */
export interface WindowOptions extends WindowTimeOptions {
  /**
   * Moves all windows: with `'-8h'` written as `{ offset: -8 * 3_600_000 }`, windows of a day begin at midnight of a
   * zone eight hours ahead of UTC. 0 when absent, which aligns windows to the epoch.
   */
  readonly offset?: Duration;
  /**
   * The time zone by whose clocks windows are counted, such as `'Europe/Berlin'`; UTC when absent. Windows of a day
   * then are from midnight to midnight there, of 23 or 25 hours when clocks are set. Shorter ones begin when the clock
   * shows a multiple of the slide; where an hour is shown twice, the last window of the first time goes on to the end
   * of the second. `offset` is counted by the same clocks.
   */
  readonly timeZone?: string;
}

/** Windows of one size, one every slide. */
export interface AlignedWindows {
  readonly kind: 'aligned';
  readonly grid: WindowGrid;
  readonly time: 'event' | 'processing';
  readonly firesAtEnd: boolean;
  /** What they are, for explain. */
  readonly text: string;
}

/** Windows that are not made of panes: sessions, windows by count, those of one's own. */
export interface GeneralWindows<T> {
  readonly kind: 'general';
  readonly assigner: WindowAssigner<T>;
  /** Null: the assigner's own. */
  readonly trigger: Trigger<T> | null;
  readonly evictor: Evictor<T> | null;
  /** Of sessions whose gap is the same for all records; null for other windows. */
  readonly sessions: Pick<SessionSpec, 'gapMs' | 'firesAtEnd'> | null;
  /** What they are, for explain. */
  readonly text: string;
}

/** Windows of records of type `T`. */
export type Windows<T> = AlignedWindows | GeneralWindows<T>;

/**
 * Windows that follow each other without gaps: each record is in one.
 *
 * @example
 * orders.keyBy('shop').window(tumbling('1m')).sum('price')
 */
export function tumbling(size: Duration, options: WindowOptions = {}): AlignedWindows {
  const sizeMs = lengthMs('tumbling', 'size', size);
  return aligned('tumbling', { sizeMs, slideMs: sizeMs }, options);
}

/**
 * Windows of one size of which one begins every `slide`: a record is in as many as cover it. With a slide longer
 * than the size there are gaps, and records in them are in no window.
 *
 * @example
 * orders.keyBy('shop').window(sliding('1m', '10s')).count()
 */
export function sliding(
  size: Duration,
  slide: Duration,
  options: WindowOptions = {},
): AlignedWindows {
  const sizeMs = lengthMs('sliding', 'size', size);
  return aligned('sliding', { sizeMs, slideMs: lengthMs('sliding', 'slide', slide) }, options);
}

/**
 * Windows that begin together, one every `size`, and end one `step` after the other: the day so far, every hour. A
 * record is in all that end after it, so the last one of each `size` has everything.
 *
 * @example
 * orders.keyBy('shop').window(cumulative('1d', '1h', { timeZone: 'Europe/Berlin' })).sum('price')
 */
export function cumulative<T>(
  size: Duration,
  step: Duration,
  options: WindowOptions = {},
): GeneralWindows<T> {
  checkNames('cumulative', options, ALIGNED_OPTIONS);
  const sizeMs = lengthMs('cumulative', 'size', size);
  const stepMs = lengthMs('cumulative', 'step', step);
  if (sizeMs % stepMs !== 0) {
    throw new MillraceError(
      'OPTION_INVALID',
      'cumulative(...): the size is no whole number of steps.',
      {
        where: { operator: 'cumulative', field: 'step' },
        advice: 'Give a step that divides the size.',
      },
    );
  }
  const { time, firesAtEnd } = timeOptions('cumulative', options);
  const grid = gridOf('cumulative', { sizeMs, slideMs: sizeMs }, options);
  const text = `windows of up to ${formatDuration(sizeMs)}, growing by ${formatDuration(stepMs)}`;
  return general<T>(cumulativeAssigner(grid, stepMs, time, firesAtEnd), text + zoneText(grid));
}

/**
 * Windows of activity: one goes on as long as each record comes at most `gap` after the one before. A function gives
 * each record a gap of its own, in milliseconds.
 *
 * @example
 * clicks.keyBy('user').window(session('30m')).process(visits)
 * clicks.keyBy('user').window(session((click) => (click.isRobot ? 1000 : 60_000))).process(visits)
 */
export function session<T>(
  gap: Duration | ((record: T) => number),
  options: WindowTimeOptions = {},
): GeneralWindows<T> {
  checkNames('session', options, ['time', 'endOfInput']);
  const { time, firesAtEnd } = timeOptions('session', options);
  if (typeof gap !== 'function') {
    const gapMs = lengthMs('session', 'gap', gap);
    const text = `sessions of ${formatDuration(gapMs)}`;
    const sessions: GeneralWindows<T> = general(
      sessionAssigner(() => gapMs, time, firesAtEnd),
      text,
    );
    return { ...sessions, sessions: { gapMs, firesAtEnd } };
  }
  const gapOf = (record: T): number => {
    const gapMs = gap(record);
    if (Number.isSafeInteger(gapMs) && gapMs > 0) return gapMs;
    throw noLength('session', 'gap', gapMs);
  };
  return general(sessionAssigner(gapOf, time, firesAtEnd), `sessions by ${gap.toString()}`);
}

/**
 * One window of all time per key. It gives a result only when a trigger says so.
 *
 * @example
 * orders.keyBy('shop').window(globalWindow()).trigger(countTrigger(100)).process(summary)
 */
export function globalWindow<T>(): GeneralWindows<T> {
  return general<T>(globalAssigner(), 'one window of all time');
}

/**
 * Windows of `count` records of a key; with a `slide`, one of the last `count` records every `slide` records. Records
 * that do not fill a last window give no result, at the end of the input neither.
 *
 * @example
 * orders.keyBy('shop').window(countWindow(100)).reduce((a, b) => (a.price > b.price ? a : b))
 */
export function countWindow<T>(count: number, slide?: number): GeneralWindows<T> {
  const every = slide === undefined ? '' : ` every ${slide}`;
  const windows = general<T>(globalAssigner(), `windows of ${count} records${every}`);
  if (slide === undefined) return { ...windows, trigger: purgingTrigger(countTrigger(count)) };
  return { ...windows, trigger: countTrigger(slide), evictor: countEvictor(count) };
}

/**
 * Windows of one's own.
 *
 * @example
 * orders.keyBy('shop').window(windowsBy({
 *   time: 'event',
 *   merges: false,
 *   assign: (order, at) => [{ start: order.opened, end: order.closed }],
 *   defaultTrigger: eventTimeTrigger,
 * }))
 */
export function windowsBy<T>(assigner: WindowAssigner<T>): GeneralWindows<T> {
  const isOne =
    typeof assigner?.assign === 'function' && typeof assigner.defaultTrigger === 'function';
  if (isOne) return general(assigner, `windows by ${assigner.assign.toString()}`);
  throw new MillraceError('OPTION_INVALID', 'windowsBy(...) takes an assigner of windows.', {
    where: { operator: 'windowsBy' },
    advice: 'Write windowsBy({ time, merges, assign(record, timeMs) {}, defaultTrigger() {} }).',
  });
}

function general<T>(assigner: WindowAssigner<T>, text: string): GeneralWindows<T> {
  return { kind: 'general', assigner, trigger: null, evictor: null, sessions: null, text };
}

/** Throws OPTION_INVALID unless `windows` are windows. */
export function requireWindows(verb: string, windows: unknown): void {
  const kind: unknown =
    typeof windows === 'object' && windows !== null ? Reflect.get(windows, 'kind') : null;
  if (kind === 'aligned' || kind === 'general') return;
  throw new MillraceError('OPTION_INVALID', `${verb}(...) takes windows.`, {
    where: { operator: verb },
    advice: `Write ${verb}(tumbling('1m')) or ${verb}(sliding('1m', '10s')).`,
  });
}

function aligned(
  verb: string,
  lengths: { readonly sizeMs: number; readonly slideMs: number },
  options: WindowOptions,
): AlignedWindows {
  checkNames(verb, options, ALIGNED_OPTIONS);
  const { time, firesAtEnd } = timeOptions(verb, options);
  const grid = gridOf(verb, lengths, options);
  const every = grid.sizeMs === grid.slideMs ? '' : ` every ${formatDuration(grid.slideMs)}`;
  const text = `windows of ${formatDuration(grid.sizeMs)}${every}${zoneText(grid)}`;
  return Object.freeze({ kind: 'aligned', grid, time, firesAtEnd, text });
}

const ALIGNED_OPTIONS = ['offset', 'timeZone', 'time', 'endOfInput'];

function gridOf(
  verb: string,
  lengths: { readonly sizeMs: number; readonly slideMs: number },
  { offset = 0, timeZone }: WindowOptions,
): WindowGrid {
  const grid = { ...lengths, offsetMs: offsetMs(verb, offset) };
  if (timeZone === undefined) return Object.freeze(grid);
  checkZone(verb, timeZone);
  return Object.freeze({ ...grid, timeZone });
}

function checkZone(verb: string, timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone });
  } catch (cause) {
    const message = `${verb}(...): there is no time zone ${String(timeZone)}.`;
    throw new MillraceError('OPTION_INVALID', message, {
      cause,
      where: { operator: verb, field: 'timeZone' },
      advice: didYouMean(String(timeZone), Intl.supportedValuesOf('timeZone')),
    });
  }
}

function zoneText({ timeZone }: WindowGrid): string {
  return timeZone === undefined ? '' : ` in ${timeZone}`;
}

function checkNames(verb: string, options: object, names: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    throw new MillraceError('OPTION_UNKNOWN', `${verb}(...) has no option "${name}".`, {
      where: { operator: verb, field: name },
      advice: didYouMean(name, names),
    });
  }
}

function timeOptions(
  verb: string,
  { time = 'event', endOfInput }: WindowTimeOptions,
): { readonly time: 'event' | 'processing'; readonly firesAtEnd: boolean } {
  checkChoice(verb, 'time', time, ['event', 'processing']);
  if (endOfInput === undefined) return { time, firesAtEnd: false };
  checkChoice(verb, 'endOfInput', endOfInput, ['drop', 'fire']);
  if (time === 'processing') return { time, firesAtEnd: endOfInput === 'fire' };
  throw new MillraceError('OPTION_INVALID', `${verb}(...): "endOfInput" is for processing time.`, {
    where: { operator: verb, field: 'endOfInput' },
    advice:
      "Leave it out, or add time: 'processing'; windows of event time all end with the input.",
  });
}

function checkChoice(verb: string, name: string, value: unknown, choices: readonly string[]): void {
  if (choices.some((choice) => choice === value)) return;
  throw new MillraceError('OPTION_INVALID', `${verb}(...): "${name}" is ${String(value)}.`, {
    where: { operator: verb, field: name },
    advice: `It must be ${choices.map((choice) => `'${choice}'`).join(' or ')}.`,
  });
}

/** An offset may be negative, as that of a zone ahead of UTC is. */
function offsetMs(verb: string, offset: Duration): number {
  const ms = typeof offset === 'number' ? offset : parseDurationMs(offset, `${verb} offset`);
  if (Number.isSafeInteger(ms)) return ms;
  throw noLength(verb, 'offset', offset);
}

function lengthMs(verb: string, what: string, length: Duration): number {
  const ms = parseDurationMs(length, `${verb} ${what}`);
  if (Number.isSafeInteger(ms) && ms > 0) return ms;
  throw noLength(verb, what, length);
}

function noLength(verb: string, what: string, length: unknown): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    `${verb}(...): ${what} is ${String(length)}, which is no whole number of milliseconds` +
      `${what === 'offset' ? '' : ' above 0'}.`,
    { where: { operator: verb, field: what }, advice: "Write '10s', '5m' or milliseconds." },
  );
}
