/**
 * Event times and watermarks as the api takes them: the forms of a timestamp, the options that
 * decide watermarks, their checks, and what the graph makes of them. Callers: `stream.ts`. Runs on:
 * any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { type Duration, parseDurationMs } from '../base/units.js';
import { isPlainObject } from '../graph/plain-object.js';
import type { TimestampOrigin } from '../operator/operator-spec.js';
import type {
  WatermarkAlignment,
  WatermarkGeneration,
  WatermarkGenerator,
  WatermarkStrategy,
} from '../time/watermark-strategy.js';
import { type HasExpression, type ColumnLike, type CheckReads, isColumn } from './column-types.js';
import { callSite } from './call-site.js';
import {
  checkOptions,
  durationCheck,
  type OperatorOptions,
  type OptionCheck,
} from './operator-options.js';
import type { VerbCall } from './stream-core.js';
import type { CheckField, FieldsOf, FieldType, Mistake } from './record-types.js';

/** What event times may be made of. */
export type TimeValue = Date | number | bigint | null | undefined;

/** Ingestion time: the wall clock when a record arrives. Made by `ingestionTime()`. */
export interface IngestionTime {
  readonly kind: 'ingestionTime';
}

/**
 * Event time is the wall clock of the machine when the record reaches `assignTimestamps`; it never
 * goes back.
 *
 * @example
 * clicks.assignTimestamps(ingestionTime())
 */
export function ingestionTime(): IngestionTime {
  return Object.freeze({ kind: 'ingestionTime' });
}

/** Where watermarks come from, when not from the latest event time. */
export type WatermarkChoice<T> =
  | 'none'
  | {
      /** Gives a watermark for a record, or null; it goes out right behind that record. */
      readonly punctuated: (record: T, timestampMs: number) => number | null | undefined | void;
    }
  | {
      /** Makes a generator for each subtask. */
      readonly generator: () => WatermarkGenerator<T>;
    };

/** Options of how watermarks are made. */
export interface WatermarkOptions<T> extends OperatorOptions {
  /**
   * How much later than others a record may come, by event time. The watermark is the latest event
   * time less this, less 1 ms. Default: 0, for ascending times.
   */
  readonly outOfOrderness?: Duration;
  /** Watermarks made in another way; not together with `outOfOrderness`. */
  readonly watermarks?: WatermarkChoice<T>;
  /** Without a record for so long a subtask does not hold others back. Default: never. */
  readonly idleTimeout?: Duration;
  /** Sources of a group wait for each other, so that none runs far ahead in event time. */
  readonly alignment?: {
    readonly group: string;
    /** How far ahead of the slowest a source may be. */
    readonly maxDrift: Duration;
    /** How often sources look at each other. Default: 1 s. */
    readonly updateInterval?: Duration;
  };
}

/** `unknown` when event times can be made of what was given, else the mistake. */
export type CheckTimestamp<T, C> = C extends string
  ? CheckTimeField<T, C>
  : C extends ColumnLike<unknown, infer N>
    ? CheckReads<T, N>
    : unknown;

type CheckTimeField<T, N extends string> = [N] extends [FieldsOf<T>]
  ? unknown extends FieldType<T, N>
    ? N
    : [FieldType<T, N>] extends [TimeValue]
      ? N
      : Mistake<`Field '${N}' is no event time: those are dates and milliseconds since the epoch`>
  : CheckField<T, N>;

/** Checks of the options. */
export const WATERMARK_CHECKS: Readonly<Record<string, OptionCheck>> = {
  outOfOrderness: durationCheck,
  idleTimeout: durationCheck,
  watermarks: (value) =>
    generationOf(value) === null
      ? "'none', { punctuated: (record, timestampMs) => ... } or { generator: () => ... }"
      : null,
  alignment: (value) =>
    alignmentOf(value) === null ? '{ group, maxDrift, updateInterval }' : null,
};

/** The origin of event times that a program named. */
export function timestampOrigin(given: unknown): TimestampOrigin {
  if (typeof given === 'string' && given !== '') {
    return { from: 'expression', expression: { node: 'column', name: given } };
  }
  if (isColumn(given))
    return { from: 'expression', expression: (given as HasExpression).expression };
  if (typeof given === 'function') {
    return { from: 'function', fn: given as (record: never) => unknown };
  }
  if (isPlainObject(given) && given['kind'] === 'ingestionTime') return { from: 'clock' };
  throw new MillraceError('OPTION_INVALID', 'assignTimestamps(...) takes what tells the time.', {
    where: { operator: 'assignTimestamps' },
    advice:
      "Write assignTimestamps('at'), assignTimestamps(col('s').mul(1000)), " +
      'assignTimestamps((record) => record.at) or assignTimestamps(ingestionTime()).',
  });
}

/** The strategy that checked options mean. */
export function watermarkStrategy<T>(
  call: VerbCall,
  options: WatermarkOptions<T>,
): WatermarkStrategy {
  const { verb } = call;
  checkOptions(verb, options, callSite(call.boundary), call.extra);
  const { outOfOrderness, watermarks, idleTimeout, alignment } = options;
  if (outOfOrderness !== undefined && watermarks !== undefined) {
    throw new MillraceError(
      'OPTION_INVALID',
      `${verb}(...) has both outOfOrderness and watermarks, which are two ways to make watermarks.`,
      { where: { operator: verb }, advice: 'Leave one of them out.' },
    );
  }
  const bounded: WatermarkGeneration = {
    kind: 'bounded',
    outOfOrdernessMs: parseDurationMs(outOfOrderness ?? 0, 'outOfOrderness'),
  };
  return {
    generation: watermarks === undefined ? bounded : (generationOf(watermarks) ?? bounded),
    idleTimeoutMs: idleTimeout === undefined ? null : parseDurationMs(idleTimeout, 'idleTimeout'),
    alignment: alignment === undefined ? null : alignmentOf(alignment),
  };
}

function generationOf(given: unknown): WatermarkGeneration | null {
  if (given === 'none') return { kind: 'none' };
  if (!isPlainObject(given) || Object.keys(given).length !== 1) return null;
  const { punctuated, generator } = given as {
    punctuated?: (record: unknown, timestampMs: number) => number | null;
    generator?: () => WatermarkGenerator;
  };
  if (typeof punctuated === 'function') return { kind: 'punctuated', fn: punctuated };
  return typeof generator === 'function' ? { kind: 'custom', create: generator } : null;
}

function alignmentOf(given: unknown): WatermarkAlignment | null {
  if (!isPlainObject(given)) return null;
  const { group, maxDrift, updateInterval = '1s', ...rest } = given;
  const isValid = typeof group === 'string' && group !== '' && Object.keys(rest).length === 0;
  const durations = [maxDrift, updateInterval];
  if (!isValid || durations.some((value) => durationCheck(value) !== null)) return null;
  return {
    group,
    maxDriftMs: parseDurationMs(maxDrift as Duration, 'maxDrift'),
    updateIntervalMs: parseDurationMs(updateInterval as Duration, 'updateInterval'),
  };
}
