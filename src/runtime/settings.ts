/**
 * Every configuration key of a run, in one table: name, type, default, range, meaning. Embedded options, the
 * configuration file, environment variables, `-D` flags and `docs/configuration.md` all read it. Callers: api,
 * cli, the documentation generator. Runs on: any thread; pure.
 */
import { inspect } from 'node:util';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { formatBytes, formatDuration, parseBytes, parseDurationMs } from '../base/units.js';
import type { ReporterSettings } from '../reporters/reporter-config.js';
import { RECOVERY_SETTINGS } from './recovery-settings.js';
import { choice, count, duration, number, PATH, text } from './setting-kinds.js';

/** How a value is written and checked. */
export type SettingType =
  | 'integer'
  | 'number'
  | 'bytes'
  | 'duration'
  | 'choice'
  | 'boolean'
  | 'text'
  /** Taken relative to the base directory of the run. */
  | 'path';

/** One row of the table. */
export interface SettingDefinition {
  readonly type: SettingType;
  /** As a person would write it; `null` means that it is worked out at start. */
  readonly default: string | number | boolean | null;
  /** Inclusive bounds after conversion (bytes, milliseconds); absent for choices and booleans. */
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
}

const GIB = 1024 ** 3;
const DAY_MS = 86_400_000;

/** The table. Keys are dotted; the file nests them or not, the environment writes `MILLRACE_SLOT_MEMORY`. */
export const SETTINGS = {
  parallelism: count(null, 1, 32_768),
  maxParallelism: count(null, 1, 32_768),
  'slot.memory': {
    type: 'bytes',
    default: '512mb',
    min: 32 * 1024 ** 2,
    max: 1024 * GIB,
  },
  'slot.networkFraction': number(0.125, 0.01, 0.8),
  'slot.managedFraction': number(0.375, 0.01, 0.9),
  'exchange.batchRows': count(2048, 1, 65_536),
  'exchange.targetDrain': duration('1s', 1, DAY_MS),
  'pipeline.autoWatermarkInterval': duration('200ms', 1, DAY_MS),
  'aggregate.preAggregateKeys': count(262_144, 0, 16_777_216),
  'state.backend': choice('memory', 'lsm'),
  'state.localDir': PATH,
  'log.level': choice('info', 'trace', 'debug', 'warn', 'error', 'silent'),
  'metrics.perSubtask': count(64, 0, 1024),
  'metrics.histogramsPerSubtask': count(8, 0, 256),
  'metrics.latency.interval': duration(0),
  'metrics.latency.granularity': choice('operator', 'single', 'subtask'),
  'metrics.latency.historySize': count(128, 1, 65_536),
  'metrics.scope.jm': text('<host>.jobmanager'),
  'metrics.scope.jmJob': text('<host>.jobmanager.<job_name>'),
  'metrics.scope.tm': text('<host>.taskmanager.<tm_id>'),
  'metrics.scope.tmJob': text('<host>.taskmanager.<tm_id>.<job_name>'),
  'metrics.scope.task': text('<host>.taskmanager.<tm_id>.<job_name>.<task_name>.<subtask_index>'),
  'metrics.scope.operator': text(
    '<host>.taskmanager.<tm_id>.<job_name>.<operator_name>.<subtask_index>',
  ),
  'task.stallTimeout': duration(0),
  'task.cancellationTimeout': duration('180s'),
  ...RECOVERY_SETTINGS,
  runtime: choice('auto', 'threads', 'in-thread'),
  isolate: choice('none', 'process'),
  seed: count(null, 0, 2 ** 32 - 1),
} as const satisfies Record<string, SettingDefinition>;

/** A configuration key. */
export type SettingKey = keyof typeof SETTINGS;
/** Converted values: bytes and milliseconds as numbers, null where the default is worked out at start. */
export type Settings = ReportedSettings & KeyedSettings;
type KeyedSettings = {
  readonly [K in SettingKey]: (typeof SETTINGS)[K]['type'] extends keyof SettingValues
    ? SettingValues[(typeof SETTINGS)[K]['type']]
    : (typeof SETTINGS)[K]['default'] extends null
      ? number | null
      : number;
};

/** What is said by `metrics.reporter.<name>.<option>`: checked by whoever makes reporters, which few runs have. */
interface ReportedSettings {
  readonly 'metrics.reporters': ReporterSettings;
}

/** A key of a reporter: its name, and the option. */
const REPORTER_KEY = /^metrics\.reporter\.([A-Za-z0-9_-]+)\.(.+)$/;

/** Whether a key is of a reporter. */
export function isReporterKey(key: string): boolean {
  return REPORTER_KEY.test(key);
}

interface SettingValues {
  choice: string;
  boolean: boolean;
  text: string;
  path: string | null;
}

/** Values as given, with where each was given, for messages. Later layers win. */
export interface SettingsLayer {
  /** Such as 'option', 'file millrace.config.yaml', 'environment', '-D'. */
  readonly origin: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Merges layers over the defaults. Throws OPTION_UNKNOWN or OPTION_INVALID naming key, value and range. */
export function resolveSettings(layers: readonly SettingsLayer[]): Settings {
  const reporters: Record<string, Record<string, unknown>> = {};
  const resolved: Record<string, unknown> = {};
  for (const [key, definition] of Object.entries(SETTINGS)) {
    resolved[key] =
      definition.default === null
        ? null
        : settingValue(key, definition, definition.default, 'default');
  }
  for (const { origin, values } of layers) {
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) continue;
      const [, name, option = ''] = REPORTER_KEY.exec(key) ?? [];
      if (name !== undefined) reporters[name] = { ...reporters[name], [option]: value };
      else resolved[key] = settingValue(key, definitionOf(key, origin), value, origin);
    }
  }
  const settings = { ...(resolved as KeyedSettings), 'metrics.reporters': reporters };
  const shares = settings['slot.networkFraction'] + settings['slot.managedFraction'];
  if (shares > 0.95) {
    throw new MillraceError(
      'OPTION_INVALID',
      `slot.networkFraction and slot.managedFraction together are ${shares}.`,
      { advice: 'Leave at least 0.05 of the slot for the JavaScript heap.' },
    );
  }
  return settings;
}

function definitionOf(key: string, origin: string): SettingDefinition {
  const table: Readonly<Record<string, SettingDefinition>> = SETTINGS;
  if (Object.hasOwn(table, key)) return table[key];
  throw new MillraceError('OPTION_UNKNOWN', `There is no setting "${key}" (${origin}).`, {
    advice: didYouMean(key, Object.keys(SETTINGS)),
  });
}

/** A value as the engine takes it. Throws OPTION_INVALID, naming `origin`. */
export function settingValue(
  key: string,
  definition: SettingDefinition,
  value: unknown,
  origin: string,
): unknown {
  const fail = (expected: string): never => {
    throw new MillraceError(
      'OPTION_INVALID',
      `${key} (${origin}) is ${shown(value)}; it must be ${expected}.`,
    );
  };
  if (definition.type === 'choice') {
    const choices = definition.choices ?? [];
    const isChoice = typeof value === 'string' && choices.includes(value);
    return isChoice ? value : fail(`one of ${choices.join(', ')}`);
  }
  if (definition.type === 'boolean') {
    if (value === true || value === 'true') return true;
    return value === false || value === 'false' ? false : fail('true or false');
  }
  if (definition.type === 'text') {
    return typeof value === 'string' && value !== '' ? value : fail('a text');
  }
  if (definition.type === 'path') {
    return typeof value === 'string' && value !== '' ? value : fail('a path');
  }
  const number = toNumber(`${key} (${origin})`, definition.type, value);
  const { type, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = definition;
  const isWhole = type !== 'integer' || Number.isInteger(number);
  if (!(number >= min && number <= max) || !isWhole) {
    const what = type === 'integer' ? 'a whole number' : 'a value';
    fail(`${what} from ${boundText(type, min)} to ${boundText(type, max)}`);
  }
  return number;
}

/** A bound in the unit in which people write the value. */
function boundText(type: SettingType, bound: number): string {
  if (type === 'bytes') return formatBytes(bound);
  if (type !== 'duration') return String(bound);
  return bound > 0 && bound % DAY_MS === 0 ? `${bound / DAY_MS} d` : formatDuration(bound);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 0 });
}

function toNumber(what: string, type: SettingType, value: unknown): number {
  if (typeof value !== 'number' && typeof value !== 'string') return Number.NaN;
  if (type === 'bytes') return parseBytes(value, what);
  if (type === 'duration') return parseDurationMs(value, what);
  return typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
}
