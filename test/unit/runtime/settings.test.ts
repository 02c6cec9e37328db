import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import {
  resolveSettings,
  SETTINGS,
  type SettingDefinition,
  type SettingKey,
} from '../../../src/runtime/settings.js';

const table = Object.entries(SETTINGS) as [SettingKey, SettingDefinition][];

function failureOf(values: Record<string, unknown>, origin = 'a test'): MillraceError {
  try {
    resolveSettings([{ origin, values }]);
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(Object.keys(values))} was accepted.`);
}

const resolve = (values: Record<string, unknown>) =>
  resolveSettings([{ origin: 'a test', values }]);

describe('settings', () => {
  it('have defaults that lie in their own ranges', () => {
    const defaults = resolveSettings([]);
    for (const [key, { default: value, min, max }] of table) {
      const resolved = defaults[key];
      if (value === null) expect(resolved, key).toBe(null);
      else if (typeof resolved === 'number') {
        expect(resolved, key).toBeGreaterThanOrEqual(min ?? Number.NEGATIVE_INFINITY);
        expect(resolved, key).toBeLessThanOrEqual(max ?? Number.POSITIVE_INFINITY);
      }
    }
    expect(defaults['slot.memory']).toBe(512 * 1024 ** 2);
    expect(defaults['exchange.targetDrain']).toBe(1000);
  });

  it.each(table)('%s takes both ends of its range and nothing beyond', (key, definition) => {
    const { type, min, max, choices } = definition;
    if (type === 'choice') {
      for (const choice of choices ?? []) expect(resolve({ [key]: choice })[key]).toBe(choice);
      return;
    }
    if (type === 'boolean') {
      for (const value of [true, false, 'true', 'false']) {
        expect(resolve({ [key]: value })[key]).toBe(value === true || value === 'true');
      }
      return;
    }
    if (type === 'path' || type === 'text') {
      expect(resolve({ [key]: 'a/b c' })[key]).toBe('a/b c');
      return;
    }
    const alone = (value: number | undefined): unknown => {
      // The two shares of a slot exclude each other at their upper ends.
      const other =
        key === 'slot.networkFraction' ? 'slot.managedFraction' : 'slot.networkFraction';
      return resolve(key.includes('Fraction') ? { [other]: 0.02, [key]: value } : { [key]: value })[
        key
      ];
    };
    expect(alone(min)).toBe(min);
    expect(alone(max)).toBe(max);
    const step = type === 'number' ? 0.001 : 1;
    expect(failureOf({ [key]: (max ?? 0) + step }).message).toContain(key);
    const below = failureOf({ [key]: (min ?? 0) - step });
    expect(['OPTION_INVALID', 'UNIT_INVALID']).toContain(below.code);
    expect(below.message).toContain(key);
  });

  it.each(table)('%s refuses values of other types, with key and origin', (key, { type }) => {
    const takesText = type === 'path' || type === 'text';
    const others = [true, 'nonsense'].filter((value) =>
      typeof value === 'boolean' ? type !== 'boolean' : !takesText,
    );
    for (const value of [...others, [], ['auto'], {}, null, 5n, Symbol('x'), Number.NaN, '']) {
      const error = failureOf({ [key]: value }, 'file millrace.config.yaml');
      expect(['OPTION_INVALID', 'UNIT_INVALID']).toContain(error.code);
      expect(error.message).toContain(key);
      expect(error.message).toContain('file millrace.config.yaml');
    }
  });

  it.each(table.filter(([, { type }]) => type === 'integer'))('%s is whole', (key) => {
    expect(failureOf({ [key]: 2.5 }).message).toContain('a whole number');
    expect(resolve({ [key]: '3' })[key]).toBe(3);
  });

  it('take sizes and durations as people write them', () => {
    const given = {
      'slot.memory': '2gb',
      'exchange.targetDrain': '250ms',
      'task.stallTimeout': '2m',
    };
    expect(resolve(given)).toMatchObject({
      'slot.memory': 2 * 1024 ** 3,
      'exchange.targetDrain': 250,
      'task.stallTimeout': 120_000,
    });
    expect(failureOf({ 'slot.memory': '16mb' }).message).toMatch(/32.* MB/);
    expect(failureOf({ 'slot.memory': '5 parsecs' }).code).toBe('UNIT_INVALID');
  });

  it('name the nearest key for one that does not exist', () => {
    for (const [wrong, right] of [
      ['slot.memroy', 'slot.memory'],
      ['parallelsim', 'parallelism'],
      ['exchange.batchrows', 'exchange.batchRows'],
    ]) {
      const error = failureOf({ [wrong]: 1 }, '-D');
      expect(error.code).toBe('OPTION_UNKNOWN');
      expect(error.message).toContain(`"${wrong}" (-D)`);
      expect(error.advice).toContain(right);
    }
    expect(failureOf({ toString: 1 }).code).toBe('OPTION_UNKNOWN');
    expect(failureOf({ __proto__x: 1 }).code).toBe('OPTION_UNKNOWN');
  });

  it('let later layers win, and skip what a layer leaves undefined', () => {
    const layers = [
      { origin: 'file', values: { parallelism: 2, 'slot.memory': '64mb' } },
      { origin: 'environment', values: { parallelism: '3', 'slot.memory': undefined } },
      { origin: 'options', values: { parallelism: undefined, seed: 9 } },
    ];
    expect(resolveSettings(layers)).toMatchObject({
      parallelism: 3,
      'slot.memory': 64 * 1024 ** 2,
      seed: 9,
    });
  });

  it('leave some of a slot for the heap', () => {
    const error = failureOf({ 'slot.networkFraction': 0.5, 'slot.managedFraction': 0.5 });
    expect(error.code).toBe('OPTION_INVALID');
    expect(error.message).toContain('slot.managedFraction');
  });

  it('keep what is said of reporters apart, by their names, the last word of all layers', () => {
    const settings = resolveSettings([
      { origin: 'file', values: { 'metrics.reporter.a.type': 'statsd' } },
      { origin: '-D', values: { 'metrics.reporter.a.port': 1, 'metrics.reporter.b.x.y': true } },
      { origin: 'option', values: { 'metrics.reporter.a.port': 2 } },
    ]);
    expect(settings['metrics.reporters']).toEqual({
      a: { type: 'statsd', port: 2 },
      b: { 'x.y': true },
    });
    expect(failureOf({ 'metrics.reporter.a': 'statsd' }).code).toBe('OPTION_UNKNOWN');
    expect(failureOf({ 'metrics.reporters': {} }).code).toBe('OPTION_UNKNOWN');
  });
});
