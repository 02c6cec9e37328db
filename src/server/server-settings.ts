/**
 * Settings of a server, which no job has: how it takes part in the choice of a leader, what becomes of its processes
 * without it, who may talk to it. They are given where those of
 * jobs are, in the configuration file, the environment and by `-D`. Callers: the command line, `server.ts`. Runs on:
 * the main thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { choice, duration, OFF } from '../runtime/setting-kinds.js';
import {
  isReporterKey,
  type SettingDefinition,
  type SettingsLayer,
  settingValue,
} from '../runtime/settings.js';

const UNSET = { type: 'text', default: null } as const;

/** The table, in Flink's words where Flink has some. */
const SERVER_SETTINGS = {
  'high-availability.type': choice('none', 'lockfile', 'zookeeper'),
  'high-availability.lockfile.timeout': duration('3s', 300, 600_000),
  'high-availability.zookeeper.quorum': UNSET,
  'high-availability.zookeeper.path.root': { type: 'text', default: '/millrace' },
  'high-availability.zookeeper.client.session-timeout': duration('4s', 400, 600_000),
  'high-availability.zookeeper.client.connection-timeout': duration('15s', 100, 600_000),
  'high-availability.cluster-id': { type: 'text', default: '/default' },
  'jobstore.expiration-time': duration(null, 1000),
  'rest.address': UNSET,
  'security.ssl.rest.authentication-enabled': OFF,
  'security.ssl.rest.certificate': UNSET,
  'security.ssl.rest.enabled': OFF,
  'security.ssl.rest.key': UNSET,
  'security.ssl.rest.key-password': UNSET,
  'security.ssl.rest.keystore': UNSET,
  'security.ssl.rest.truststore': UNSET,
  'taskmanager.registration.timeout': duration('1min', 0, 86_400_000),
} as const satisfies Record<string, SettingDefinition>;

type Table = typeof SERVER_SETTINGS;
/** A setting of a server. */
export type ServerSettingKey = keyof Table;

/** Their values; durations are milliseconds. */
export type ServerSettings = {
  readonly [K in ServerSettingKey]: Table[K]['type'] extends 'duration'
    ? Table[K]['default'] extends null
      ? number | null
      : number
    : Table[K]['type'] extends 'boolean'
      ? boolean
      : Table[K] extends { readonly default: null }
        ? string | null
        : string;
};

/** All keys. */
export const SERVER_SETTING_KEYS = Object.keys(SERVER_SETTINGS) as readonly ServerSettingKey[];

/** Whether a key is of the server alone: no job may have it. */
export function isServerKey(key: string): boolean {
  return Object.hasOwn(SERVER_SETTINGS, key);
}

/** What is left for jobs. */
export function layersOfJobs(layers: readonly SettingsLayer[]): readonly SettingsLayer[] {
  return without(layers, isServerKey);
}

/** What is left for jobs of a server, of which the server itself reports. */
export function layersOfServedJobs(layers: readonly SettingsLayer[]): readonly SettingsLayer[] {
  return without(layers, (key) => isServerKey(key) || isReporterKey(key));
}

/** Throws OPTION_INVALID. */
export function serverSettings(layers: readonly SettingsLayer[]): ServerSettings {
  const values: Record<string, unknown> = {};
  for (const [key, definition] of Object.entries<SettingDefinition>(SERVER_SETTINGS)) {
    const given = layers.findLast((layer) => layer.values[key] !== undefined);
    const value = given === undefined ? definition.default : given.values[key];
    values[key] =
      value === null ? null : settingValue(key, definition, value, given?.origin ?? 'default');
  }
  const settings = values as ServerSettings;
  const isZooKeeper = settings['high-availability.type'] === 'zookeeper';
  if (isZooKeeper && settings['high-availability.zookeeper.quorum'] === null) {
    throw new MillraceError(
      'OPTION_INVALID',
      'high-availability.type is zookeeper, and nothing says where ZooKeeper is.',
      {
        advice: 'Give --ha-quorum, or high-availability.zookeeper.quorum, as host:port,host:port.',
      },
    );
  }
  return { ...settings, 'rest.address': addressIn(settings['rest.address']) };
}

/** Without slashes at its end, since paths are put behind it. */
function addressIn(address: string | null): string | null {
  if (address === null) return null;
  if (/^https?:\/\//.test(address) && URL.canParse(address)) return address.replace(/\/+$/, '');
  throw new MillraceError(
    'OPTION_INVALID',
    `rest.address is ${JSON.stringify(address)}, which is no address of a server.`,
    { advice: 'Write, for example, http://10.0.0.7:8081.' },
  );
}

function without(
  layers: readonly SettingsLayer[],
  isLeftOut: (key: string) => boolean,
): readonly SettingsLayer[] {
  return layers.map(({ origin, values }) => {
    const kept = Object.entries(values).filter(([key]) => !isLeftOut(key));
    return { origin, values: Object.fromEntries(kept) };
  });
}
