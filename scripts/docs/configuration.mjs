/** `docs/configuration.md`: every setting, from the table that the runtime itself checks settings against. */
import { code, GENERATED, page, table } from '../lib/markdown.mjs';

export function configurationPage({ SETTINGS, SETTING_MEANINGS, environmentName }) {
  const rows = Object.entries(SETTINGS).map(([key, setting]) => [
    code(key),
    typeOf(setting),
    setting.default === null ? '' : code(String(setting.default)),
    rangeOf(setting),
    SETTING_MEANINGS[key],
  ]);
  const variables = Object.keys(SETTINGS).map((key) => [code(key), code(environmentName(key))]);
  return page(
    '# Configuration',
    GENERATED,
    'A setting has one key, whoever sets it. Later places win over earlier ones:',
    [
      '1. the default;',
      '2. the configuration file: `millrace.config.ts`, `.mts`, `.js`, `.mjs`, `.json`, `.yaml` or `.yml` in the current',
      '   directory, or the one named by `--config` or `MILLRACE_CONFIG`; keys are dotted or nested, as you like;',
      '3. the environment;',
      '4. flags of the command line: `-D slot.memory=1gb`, `-p 4`.',
    ].join('\n'),
    'A program that embeds Millrace passes options to `run` and `start` instead: the frequent settings have options of ' +
      "their own, every other one goes into `settings`, as in `{ settings: { 'task.stallTimeout': '30s' } }`. Files and " +
      'environment are read by the command line only, so that a library never changes behind its caller’s back.',
    'Sizes are numbers of bytes or texts such as `64kb`, `512mb`, `2gb` (powers of 1024); durations are milliseconds or texts ' +
      'such as `250ms`, `10s`, `5m`, `2h`, `1d`. An unknown key or a value out of range fails before anything runs, with the ' +
      'key, the value, where it was given, and what is allowed.',
    table(['Key', 'Type', 'Default', 'Range', 'Meaning'], rows),
    '## Environment variables',
    table(['Key', 'Variable'], variables),
    'An empty variable counts as unset. A variable that begins with `MILLRACE_` and is no setting is refused, because it is ' +
      'most likely a misspelt one.',
  );
}

function typeOf({ type, choices }) {
  return type === 'choice' ? choices.map(code).join(', ') : type;
}

function rangeOf({ type, min, max }) {
  if (min === undefined || max === undefined) return '';
  const text = type === 'bytes' ? bytes : type === 'duration' ? duration : String;
  return `${text(min)} to ${text(max)}`;
}

function bytes(value) {
  const units = ['gb', 'mb', 'kb'];
  const sizes = [1024 ** 3, 1024 ** 2, 1024];
  const at = sizes.findIndex((size) => value >= size && value % size === 0);
  return at === -1 ? `${value}` : `${value / sizes[at]}${units[at]}`;
}

function duration(value) {
  const units = ['d', 'h', 'm', 's'];
  const sizes = [86_400_000, 3_600_000, 60_000, 1000];
  const at = sizes.findIndex((size) => value >= size && value % size === 0);
  return at === -1 ? `${value}` : `${value / sizes[at]}${units[at]}`;
}
