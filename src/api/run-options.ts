/**
 * The options of `run`, `start` and `explain`, and how they become settings. Callers: `run.ts`, `start.ts`,
 * `explain-job.ts`, the command line. Runs on: the caller's thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { ByteSize } from '../base/units.js';
import type { MetricReporter } from '../reporters/reporter.js';
import { resolveSettings, type Settings, type SettingsLayer } from '../runtime/settings.js';

/** Options of a run. Every setting of `docs/configuration.md` can also be given by its key in `settings`. */
export interface RunOptions<P = unknown> {
  /** Parameters of the job, merged over its defaults by the job itself; structured-cloneable. */
  readonly params?: P;
  /** Subtasks of each operator. Default: the number of cores. */
  readonly parallelism?: number;
  /** Number of key groups, 1 to 32768. Default: as Flink computes it from the parallelism. */
  readonly maxParallelism?: number;
  readonly slot?: {
    /** Memory of one slot. Default '512mb'. */
    readonly memory?: ByteSize;
    /** Share for rings. Default 0.125. */
    readonly networkFraction?: number;
    /** Share for state. Default 0.375. */
    readonly managedFraction?: number;
  };
  /** 'threads' (worker threads), 'in-thread' (the calling thread), or 'auto', the default. */
  readonly runtime?: 'auto' | 'threads' | 'in-thread';
  /** 'process' runs the job in a child process that may crash alone. Default 'none'. */
  readonly isolate?: 'none' | 'process';
  /** Seed of everything random in the run. */
  readonly seed?: number;
  /** Cancels the job. */
  readonly signal?: AbortSignal;
  /** Directory that relative paths of sources and sinks are resolved against. Default: the current one. */
  readonly baseDirectory?: string;
  /**
   * Who is told the metrics of the job, by names of your choice: options of a reporter of the engine, such as
   * `{ type: 'graphite', host: 'stats' }`, or a reporter of your own. They are called on this thread.
   */
  readonly reporters?: Readonly<Record<string, MetricReporter | ReporterOptions>>;
  /** Any further setting by its key, such as `'task.stallTimeout'`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A reporter of the engine: its type, and options as in `docs/metrics.md`. */
export type ReporterOptions = { readonly type: string } & Readonly<
  Record<string, string | number | boolean>
>;

const OPTION_NAMES = [
  'params',
  'parallelism',
  'maxParallelism',
  'slot',
  'runtime',
  'isolate',
  'seed',
  'signal',
  'baseDirectory',
  'reporters',
  'settings',
] as const satisfies readonly (keyof RunOptions)[];
const SLOT_NAMES = ['memory', 'networkFraction', 'managedFraction'] as const;

/**
 * The settings of a run: the options over the layers below them (file, environment, flags). Throws
 * OPTION_UNKNOWN with the nearest valid name, or OPTION_INVALID with the allowed range.
 */
export function settingsOf(options: RunOptions, layers: readonly SettingsLayer[] = []): Settings {
  refuseUnknown('option', options, OPTION_NAMES);
  refuseUnknown('option slot', options.slot ?? {}, SLOT_NAMES);
  const { parallelism, maxParallelism, runtime, isolate, seed, slot } = options;
  const values: Record<string, unknown> = {
    parallelism,
    maxParallelism,
    runtime,
    isolate,
    seed,
    ...Object.fromEntries(SLOT_NAMES.map((name) => [`slot.${name}`, slot?.[name]])),
    ...reporterValues(options.reporters ?? {}),
  };
  return resolveSettings([
    ...layers,
    { origin: 'options.settings', values: options.settings ?? {} },
    { origin: 'options', values },
  ]);
}

/** The options of reporters of the engine, by their keys as settings. */
function reporterValues(
  reporters: NonNullable<RunOptions['reporters']>,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(reporters).flatMap(([name, reporter]) => {
    if (isOwn(reporter)) return [];
    if (!/^[A-Za-z0-9_-]+$/.test(name)) throw wrongName(name);
    return Object.entries(reporter).map(([option, value]) => [
      `metrics.reporter.${name}.${option}`,
      value,
    ]);
  });
  return Object.fromEntries(entries);
}

/** The reporters that the user has written. */
export function ownReporters({
  reporters = {},
}: RunOptions): Readonly<Record<string, MetricReporter>> {
  const own = Object.entries(reporters).flatMap(([name, reporter]) =>
    isOwn(reporter) ? [[name, reporter] as const] : [],
  );
  return Object.fromEntries(own);
}

function isOwn(reporter: MetricReporter | ReporterOptions): reporter is MetricReporter {
  return typeof reporter.report === 'function' || typeof reporter.open === 'function';
}

function wrongName(name: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `"${name}" is no name of a reporter.`, {
    advice: 'Use letters, digits, - and _.',
  });
}

function refuseUnknown(what: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    throw new MillraceError('OPTION_UNKNOWN', `There is no ${what} "${name}".`, {
      advice: didYouMean(name, known),
    });
  }
}
