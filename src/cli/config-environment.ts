/**
 * Configuration from the environment: `MILLRACE_SLOT_MEMORY` is `slot.memory`. Callers: `job-call.ts`. Runs on: the
 * main thread; pure. Invariant: a variable that looks like a setting but is none is refused, never passed over.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { COMMON_OPTIONS, REPORTER_OPTIONS } from '../reporters/reporter-options.js';
import { SETTINGS, type SettingsLayer } from '../runtime/settings.js';
import { SERVER_SETTING_KEYS } from '../server/server-settings.js';

/** Names the configuration file, as `--config` does. */
export const CONFIG_VARIABLE = 'MILLRACE_CONFIG';
/** The token that a server asks for and a client sends. */
export const TOKEN_VARIABLE = 'MILLRACE_TOKEN';
/** The address of the server, as `--server`. */
export const SERVER_VARIABLE = 'MILLRACE_SERVER';
const NO_SETTINGS: readonly string[] = [CONFIG_VARIABLE, TOKEN_VARIABLE, SERVER_VARIABLE];
const PREFIX = 'MILLRACE_';
/** Variables of the benchmark harness, which passes its environment on to the jobs it measures. */
const BENCH_PREFIX = 'MILLRACE_BENCH_';

/** The layers of the environment, one for each variable. Throws OPTION_UNKNOWN with the nearest valid name. */
export function environmentLayers(
  environment: Readonly<Record<string, string | undefined>>,
): readonly SettingsLayer[] {
  const known = [...Object.keys(SETTINGS), ...SERVER_SETTING_KEYS];
  const keys = new Map(known.map((key) => [environmentName(key), key]));
  const layers: SettingsLayer[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || name.startsWith(BENCH_PREFIX)) continue;
    if (NO_SETTINGS.includes(name) || value === undefined) continue;
    const key = keys.get(name) ?? reporterKey(name);
    if (key === undefined) throw unknownVariable(name, [...keys.keys(), ...NO_SETTINGS]);
    // Shells cannot always unset a variable, so an empty one counts as unset.
    if (value !== '') layers.push({ origin: `environment ${name}`, values: { [key]: value } });
  }
  return layers;
}

/** The name of the environment variable of a setting. */
export function environmentName(key: string): string {
  const words = key.replace(/([a-z])([A-Z])/g, '$1_$2').replaceAll(/[.-]/g, '_');
  return `${PREFIX}${words.toUpperCase()}`;
}

/** `MILLRACE_METRICS_REPORTER_STATS_HOST` is `metrics.reporter.stats.host`. */
function reporterKey(variable: string): string | undefined {
  const [, name, words] = /^MILLRACE_METRICS_REPORTER_([A-Z0-9]+)_(.+)$/.exec(variable) ?? [];
  if (name === undefined) return undefined;
  const options = [
    'type',
    ...Object.keys(COMMON_OPTIONS),
    ...Object.values(REPORTER_OPTIONS).flatMap((ofType) => Object.keys(ofType)),
  ];
  const option = options.find((one) => environmentName(one) === `${PREFIX}${words}`);
  return option === undefined ? undefined : `metrics.reporter.${name.toLowerCase()}.${option}`;
}

function unknownVariable(name: string, known: readonly string[]): MillraceError {
  return new MillraceError('OPTION_UNKNOWN', `${name} in the environment is no setting.`, {
    advice: `${didYouMean(name, known)} Unset it or correct its name.`,
  });
}
