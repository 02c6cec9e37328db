/**
 * Checks what is configured of reporters. Callers: `reporters-of.ts`, before anything runs. Runs on: the caller's
 * thread; pure. Invariant: no message has the value of a secret.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { parseDurationMs } from '../base/units.js';
import {
  COMMON_OPTIONS,
  type CommonOptions,
  FACTORY_CLASSES,
  REPORTER_OPTIONS,
  REPORTER_TYPES,
  type ReporterOption,
  type ReporterType,
} from './reporter-options.js';

/** Options as given, by the name of the reporter. */
export type ReporterSettings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A reporter as configured. */
export interface ReporterConfig {
  readonly name: string;
  readonly type: ReporterType;
  readonly common: CommonOptions;
  /** Of its type. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** Values that nobody should read. */
  readonly secrets: readonly string[];
}

/** Of every reporter. Throws OPTION_UNKNOWN and OPTION_INVALID. */
export function reporterConfigs(settings: ReporterSettings): readonly ReporterConfig[] {
  return Object.entries(settings).map(([name, given]) => configOf(name, given));
}

function configOf(name: string, given: Readonly<Record<string, unknown>>): ReporterConfig {
  const type = typeOf(name, given);
  const table: Readonly<Record<string, ReporterOption>> = REPORTER_OPTIONS[type];
  const known = [...Object.keys(COMMON_OPTIONS), ...Object.keys(table)];
  for (const option of Object.keys(given)) {
    if (option === 'type' || option === 'factory.class' || known.includes(option)) continue;
    throw new MillraceError(
      'OPTION_UNKNOWN',
      `There is no option "${option}" of a ${type} reporter (${keyOf(name, option)}).`,
      { advice: didYouMean(option, known) },
    );
  }
  const valuesOf = (options: Readonly<Record<string, ReporterOption>>) =>
    Object.fromEntries(
      Object.entries(options).map(([option, definition]) => [
        option,
        valueOf(keyOf(name, option), definition, given[option]),
      ]),
    );
  const options = valuesOf(table);
  const secrets = Object.entries(table).flatMap(([option, definition]) =>
    definition.type === 'text' && definition.isSecret === true ? [String(options[option])] : [],
  );
  return {
    name,
    type,
    // The values are those of the table, which the type is made of.
    common: valuesOf(COMMON_OPTIONS) as CommonOptions,
    options,
    secrets: secrets.filter((text) => text !== ''),
  };
}

function keyOf(name: string, option: string): string {
  return `metrics.reporter.${name}.${option}`;
}

function typeOf(name: string, given: Readonly<Record<string, unknown>>): ReporterType {
  const named = given['type'] ?? FACTORY_CLASSES[String(given['factory.class'])];
  const found = REPORTER_TYPES.find((type) => type === named);
  if (found !== undefined) return found;
  const what = given['type'] ?? given['factory.class'];
  throw new MillraceError(
    'OPTION_INVALID',
    what === undefined
      ? `The reporter "${name}" has no type.`
      : `The reporter "${name}" is of the type "${String(what)}", which there is not.`,
    {
      advice:
        what === undefined
          ? `Set ${keyOf(name, 'type')} to one of ${REPORTER_TYPES.join(', ')}.`
          : didYouMean(String(what), REPORTER_TYPES),
    },
  );
}

function valueOf(key: string, option: ReporterOption, given: unknown): string | number | boolean {
  const value = given ?? option.default;
  if (option.type === 'duration') {
    const ms = typeof value === 'string' || typeof value === 'number' ? value : '';
    return atLeastOne(key, parseDurationMs(ms, key));
  }
  if (option.type === 'boolean') {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw invalid(key, 'true or false');
  }
  if (option.type === 'count') {
    const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
    if (Number.isInteger(number) && number >= option.min && number <= option.max) return number;
    throw invalid(key, `a whole number from ${option.min} to ${option.max}`);
  }
  const text = typeof value === 'number' ? String(value) : value;
  if (option.type === 'choice') {
    const found = option.choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw invalid(key, `one of ${option.choices.join(', ')}`);
  }
  if (typeof text === 'string') return text;
  if (text === null) throw invalid(key, 'given');
  throw invalid(key, 'a text');
}

function atLeastOne(key: string, ms: number): number {
  if (ms >= 1 && ms <= 2 ** 31 - 1) return ms;
  throw invalid(key, 'a duration from 1 ms to 24 d');
}

function invalid(key: string, expected: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `${key} must be ${expected}.`);
}

/** `key:value` pairs, or such with another sign between them, comma-separated or by another sign. */
export function pairsOf(
  text: string,
  between: string,
  separator: string,
): Readonly<Record<string, string>> {
  const pairs = text.split(separator).flatMap((part) => {
    const at = part.indexOf(between);
    return at < 1 ? [] : [[part.slice(0, at).trim(), part.slice(at + 1).trim()] as const];
  });
  return Object.fromEntries(pairs);
}
