import { readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { prepareInput } from '../../../bench/lib/inputs.mjs';

/** Files that no benchmark uses. */
const SEED = 987_654_321;
const made: string[] = [];

function make(kind: 'ndjson' | 'csv' | 'text', rows: number, seed = SEED) {
  const input = prepareInput({ kind, rows, seed });
  made.push(input.path, `${input.path}.size`);
  return input;
}

afterAll(() => {
  for (const path of made) rmSync(path, { force: true });
});

describe('prepareInput', () => {
  it('makes rows of JSON of about 143 bytes', () => {
    const { path, bytes } = make('ndjson', 1000);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(1000);
    expect(bytes).toBe(statSync(path).size);
    expect(bytes / 1000).toBeGreaterThan(135);
    expect(bytes / 1000).toBeLessThan(150);
    for (const line of lines) {
      const { price, quantity, city } = JSON.parse(line);
      expect([typeof price, typeof quantity, typeof city]).toEqual(['number', 'number', 'string']);
    }
  });

  it('makes the same sales as CSV', () => {
    const sales = readFileSync(make('ndjson', 100).path, 'utf8').trimEnd().split('\n');
    const [header, ...rows] = readFileSync(make('csv', 100).path, 'utf8').trimEnd().split('\n');
    const names = header.split(',');
    for (const [index, row] of rows.entries()) {
      const texts = Object.values(JSON.parse(sales[index])).map(String);
      expect(row.split(',')).toEqual(texts);
    }
    expect(names).toEqual(Object.keys(JSON.parse(sales[0])));
  });

  it('makes the same bytes from the same seed, and others from another', () => {
    const first = make('text', 500);
    const before = readFileSync(first.path);
    rmSync(first.path);
    expect(readFileSync(make('text', 500).path)).toEqual(before);
    expect(readFileSync(make('text', 500, SEED + 1).path)).not.toEqual(before);
  });

  it('uses a file that is there again, but not one of another size', () => {
    const { path } = make('text', 300);
    const { mtimeMs } = statSync(path);
    const whole = readFileSync(path);
    make('text', 300);
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
    truncateSync(path, 10);
    make('text', 300);
    expect(readFileSync(path)).toEqual(whole);
  });
});
