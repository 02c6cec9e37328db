/**
 * What users say about the fields of generated records: frozen descriptions with the type of their
 * values. Callers: users of `datagen`; `field-writers.ts` turns them into columns. Runs on: any
 * thread.
 */
import { MillraceError } from '../../base/errors.js';
import type { Random } from '../../base/random.js';
import { type Duration, parseDurationMs } from '../../base/units.js';
import type { DataType } from '../../record/schema.js';

/** Makes the value of a row. The random numbers depend on the seed, the field and the row alone. */
export type ValueFunction<T> = (row: number, random: Random) => T;

/** How the values of a field are made. */
export type GeneratorSpec =
  | { readonly kind: 'sequence'; readonly start: number; readonly step: number }
  | { readonly kind: 'integers'; readonly min: number; readonly max: number }
  | { readonly kind: 'floats'; readonly min: number; readonly max: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly deviation: number }
  | { readonly kind: 'booleans'; readonly chance: number }
  | {
      readonly kind: 'choice';
      readonly values: readonly string[];
      readonly weights: readonly number[] | null;
    }
  | { readonly kind: 'text'; readonly lengthMin: number; readonly lengthMax: number }
  | {
      readonly kind: 'timestamps';
      readonly startMs: number;
      readonly stepMs: number;
      readonly jitterMs: number;
    };

/** A field generator whose values have type T. */
export interface FieldGenerator<T> {
  readonly spec: GeneratorSpec;
  /** Never set; carries the type of the values. */
  readonly __value?: T;
}

/** Field generators by name. */
export type FieldGenerators = Readonly<
  Record<string, FieldGenerator<unknown> | ValueFunction<unknown>>
>;

/** The type of a generator's values. */
export function typeOfSpec(spec: GeneratorSpec): DataType {
  switch (spec.kind) {
    case 'choice':
    case 'text':
      return { kind: 'utf8' };
    case 'booleans':
      return { kind: 'bool' };
    case 'timestamps':
      return { kind: 'timestamp' };
    default:
      return { kind: 'number' };
  }
}

/** start, start + step, start + 2 step, … */
export function sequence(start = 0, step = 1): FieldGenerator<number> {
  finite('sequence', start, step);
  return made({ kind: 'sequence', start, step });
}

/** Whole numbers from `min` to `max`, both included, all equally likely. */
export function integers(min: number, max: number): FieldGenerator<number> {
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || max < min) {
    throw invalid(`integers(${min}, ${max})`, 'Give two whole numbers, the smaller one first.');
  }
  if (max - min >= 2 ** 53) throw invalid(`integers(${min}, ${max})`, 'Span less than 2^53.');
  return made({ kind: 'integers', min, max });
}

/** Numbers from `min` up to but not including `max`. */
export function floats(min = 0, max = 1): FieldGenerator<number> {
  finite('floats', min, max);
  return made({ kind: 'floats', min, max });
}

/** Normally distributed numbers. */
export function normal(mean = 0, deviation = 1): FieldGenerator<number> {
  finite('normal', mean, deviation);
  return made({ kind: 'normal', mean, deviation });
}

/** True with the given chance. */
export function booleans(chance = 0.5): FieldGenerator<boolean> {
  if (!(chance >= 0 && chance <= 1)) throw invalid(`booleans(${chance})`, 'Give 0 to 1.');
  return made({ kind: 'booleans', chance });
}

/** One of the texts, equally likely unless weights are given. */
export function choice<const V extends string>(
  values: readonly V[],
  weights: readonly number[] | null = null,
): FieldGenerator<V> {
  const weighed = weights === null || weights.length === values.length;
  const positive = weights?.every((weight) => weight >= 0 && Number.isFinite(weight)) ?? true;
  const total = weights?.reduce((sum, weight) => sum + weight, 0) ?? 1;
  if (values.length === 0 || !weighed || !positive || total === 0) {
    throw invalid('choice(…)', 'Give at least one text, and one weight (0 or more) for each.');
  }
  return made({ kind: 'choice', values: [...values], weights });
}

/** Random lower-case letters and digits. */
export function randomText(lengthMin: number, lengthMax = lengthMin): FieldGenerator<string> {
  const whole = Number.isInteger(lengthMin) && Number.isInteger(lengthMax);
  if (!whole || lengthMin < 0 || lengthMax < lengthMin || lengthMax > 1_000_000) {
    throw invalid(`randomText(${lengthMin}, ${lengthMax})`, 'Give lengths from 0 to 1 million.');
  }
  return made({ kind: 'text', lengthMin, lengthMax });
}

/** Options of `timestamps`. */
export interface TimestampOptions {
  /** Instant of row 0; default 2024-01-01. */
  readonly start?: Date | number;
  /** Time between two rows; default 1 s. */
  readonly every?: Duration;
  /**
   * Each instant is up to this much later than its place, so that rows come out of order; default
   * none.
   */
  readonly jitter?: Duration;
}

/** Instants that advance with the rows. */
export function timestamps(options: TimestampOptions = {}): FieldGenerator<Date> {
  const startMs = Number(options.start ?? Date.UTC(2024, 0, 1));
  finite('timestamps', startMs, 0);
  const stepMs = parseDurationMs(options.every ?? '1s', 'timestamps.every');
  const jitterMs = parseDurationMs(options.jitter ?? 0, 'timestamps.jitter');
  return made({ kind: 'timestamps', startMs, stepMs, jitterMs });
}

function made<T>(spec: GeneratorSpec): FieldGenerator<T> {
  return Object.freeze({ spec: Object.freeze(spec) });
}

function finite(name: string, a: number, b: number): void {
  if (Number.isFinite(a) && Number.isFinite(b)) return;
  throw invalid(`${name}(${a}, ${b})`, 'Give finite numbers.');
}

function invalid(call: string, advice: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `${call} generates nothing.`, { advice });
}
