import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { environmentLayers, environmentName } from '../../../src/cli/config-environment.js';
import { fileLayers } from '../../../src/cli/config-file.js';
import { settingsLayers } from '../../../src/cli/job-call.js';
import { jsonKeyLines } from '../../../src/cli/json-key-lines.js';
import { resolveSettings, type SettingsLayer } from '../../../src/runtime/settings.js';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-config-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

async function failureOf(action: () => unknown): Promise<MillraceError> {
  try {
    await action();
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('Nothing failed.');
}

const valuesOf = (layers: readonly SettingsLayer[]): object =>
  Object.assign({}, ...layers.map((layer) => layer.values));

describe('reporters in the environment', () => {
  it('are named in the variable, options as of any type', () => {
    const layers = environmentLayers({
      MILLRACE_METRICS_REPORTER_DD_TYPE: 'datadog',
      MILLRACE_METRICS_REPORTER_DD_APIKEY: 'k',
      MILLRACE_METRICS_REPORTER_GATE_HOST_URL: 'http://gate',
      MILLRACE_METRICS_REPORTER_GATE_FILTER_INCLUDES: '*',
    });
    expect(valuesOf(layers)).toEqual({
      'metrics.reporter.dd.type': 'datadog',
      'metrics.reporter.dd.apikey': 'k',
      'metrics.reporter.gate.hostUrl': 'http://gate',
      'metrics.reporter.gate.filter.includes': '*',
    });
    expect(() => environmentLayers({ MILLRACE_METRICS_REPORTER_DD_APIKY: 'k' })).toThrow('APIKY');
  });
});

describe('the configuration file', () => {
  it.each([
    ['millrace.config.yaml', 'slot:\n  memory: 128mb\ntask.stallTimeout: 3s\n'],
    ['millrace.config.yml', 'slot: { memory: 128mb }\ntask: { stallTimeout: 3s }\n'],
    ['millrace.config.json', '{ "slot": { "memory": "128mb" }, "task.stallTimeout": "3s" }'],
    [
      'millrace.config.mjs',
      'export default { slot: { memory: "128mb" }, task: { stallTimeout: "3s" } };',
    ],
    [
      'millrace.config.ts',
      'const time: string = "3s";\nexport default { slot: { memory: "128mb" }, task: { stallTimeout: time } };',
    ],
  ])('%s gives settings, nested or dotted', async (name, text) => {
    write(name, text);
    const layers = await fileLayers(null, directory);
    expect(valuesOf(layers)).toEqual({ 'slot.memory': '128mb', 'task.stallTimeout': '3s' });
  });

  it('may be absent, or hold nothing', async () => {
    expect(await fileLayers(null, directory)).toEqual([]);
    write('millrace.config.yaml', '# nothing yet\nparallelism:\n');
    expect(await fileLayers(null, directory)).toEqual([]);
  });

  it('keeps the line of every value', async () => {
    write('millrace.config.yaml', '# memory\nslot:\n  memory: 8mb\n');
    const error = await failureOf(async () => resolveSettings(await fileLayers(null, directory)));
    expect(error.code).toBe('OPTION_INVALID');
    expect(error.message).toBe(
      'slot.memory (millrace.config.yaml:3) is "8mb"; it must be a value from 32.0 MB to 1.00 TB.',
    );
    write('own.json', '{\n  "slot": {\n    "memroy": "1gb" }\n}');
    const unknown = await failureOf(async () =>
      resolveSettings(await fileLayers('own.json', directory)),
    );
    expect(unknown.code).toBe('OPTION_UNKNOWN');
    expect(unknown.message).toContain('"slot.memroy" (own.json:3)');
    expect(unknown.advice).toBe('Did you mean "slot.memory"?');
  });

  it.each([
    ['bad.yaml', 'a: 1\nb: [2\n', 2],
    ['bad.json', '{\n  "a": 1,,\n  "b": 2\n}', 2],
  ])('%s is refused with the line where it is wrong', async (name, text, line) => {
    write(name, text);
    const error = await failureOf(() => fileLayers(name, directory));
    expect(error.code).toBe('CONFIG_FILE_INVALID');
    expect(error.where).toEqual({ file: join(directory, name), line });
  });

  it.each([
    ['list.yaml', '- 1\n', 'holds keys and values'],
    ['text.json', '"slot.memory"', 'holds keys and values'],
    ['twice.json', '{ "slot": { "memory": 1 }, "slot.memory": 2 }', 'slot.memory is given twice'],
    ['none.mjs', 'export const a = 1;', 'exports no settings'],
    ['throws.mjs', 'throw new Error("unwell");', 'is wrong: unwell'],
    ['broken.ts', 'export default {', 'is wrong: '],
  ])('%s is refused', async (name, text, message) => {
    write(name, text);
    const error = await failureOf(() => fileLayers(name, directory));
    expect(error.code).toBe('CONFIG_FILE_INVALID');
    expect(error.message).toContain(message);
  });

  it('must be the only one, and be there when it is named', async () => {
    write('millrace.config.json', '{}');
    write('millrace.config.yaml', '');
    const several = await failureOf(() => fileLayers(null, directory));
    expect(several.message).toContain('millrace.config.json, millrace.config.yaml');
    expect(await fileLayers('millrace.config.json', directory)).toEqual([]);
    const absent = await failureOf(() => fileLayers('other.json', directory));
    expect(absent.message).toContain('"other.json"');
  });
});

describe('lines of JSON keys', () => {
  it('are found in nested objects and lists, not in values', () => {
    const text = '{\n "a": { "b": "x: {\\"c\\": 1}",\n  "d": [1,\n {"e": 2}] },\n "f": 3 }';
    expect([...jsonKeyLines(text)]).toEqual([
      ['a', 2],
      ['a.b', 2],
      ['a.d', 3],
      ['a.d.e', 4],
      ['f', 5],
    ]);
  });
});

describe('the environment', () => {
  it('names settings in capitals', () => {
    expect(environmentName('slot.networkFraction')).toBe('MILLRACE_SLOT_NETWORK_FRACTION');
    const layers = environmentLayers({ MILLRACE_SLOT_MEMORY: '64mb', PATH: '/bin' });
    expect(layers).toEqual([
      { origin: 'environment MILLRACE_SLOT_MEMORY', values: { 'slot.memory': '64mb' } },
    ]);
  });

  it('refuses names that are no settings, but for documented ones and empty values', async () => {
    const error = await failureOf(() => environmentLayers({ MILLRACE_SLOT_MEMROY: '1gb' }));
    expect(error.code).toBe('OPTION_UNKNOWN');
    expect(error.advice).toContain('"MILLRACE_SLOT_MEMORY"');
    const documented = { MILLRACE_CONFIG: 'x', MILLRACE_BENCH_ROWS: '1', MILLRACE_SEED: '' };
    expect(environmentLayers(documented)).toEqual([]);
  });
});

describe('precedence', () => {
  it('is file, environment, -D, flag of its own, the later one wins', async () => {
    write('millrace.config.json', '{ "parallelism": 1, "seed": 1, "maxParallelism": 1 }');
    const environment = { MILLRACE_PARALLELISM: '2', MILLRACE_SEED: '2' };
    const options = { D: ['parallelism=3', 'slot.memory=1gb'], parallelism: '4' };
    const settings = resolveSettings(await settingsLayers(options, environment, directory));
    expect(settings).toMatchObject({
      parallelism: 4,
      seed: 2,
      maxParallelism: 1,
      'slot.memory': 1024 ** 3,
    });
  });

  it('names the flag in messages', async () => {
    const wrong = await settingsLayers({ D: ['slot.memory=8xb'] }, {}, directory);
    const error = await failureOf(() => resolveSettings(wrong));
    expect(error.message).toContain('slot.memory (-D slot.memory=8xb)');
    const time = await settingsLayers({ D: ['task.stallTimeout=800d'] }, {}, directory);
    expect((await failureOf(() => resolveSettings(time))).message).toContain('0 ms to 365 d');
    const pair = await failureOf(() => settingsLayers({ D: ['memory'] }, {}, directory));
    expect(pair.message).toBe('-D memory is not of the form key=value.');
  });

  it('takes the file from MILLRACE_CONFIG, and --config before it', async () => {
    write('a.json', '{ "seed": 1 }');
    write('b.json', '{ "seed": 2 }');
    const environment = { MILLRACE_CONFIG: 'a.json' };
    expect(valuesOf(await settingsLayers({}, environment, directory))).toEqual({ seed: 1 });
    const options = { config: 'b.json' };
    expect(valuesOf(await settingsLayers(options, environment, directory))).toEqual({ seed: 2 });
  });
});
