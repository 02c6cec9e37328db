import { describe, expect, it } from 'vitest';
import { print, type PrintOptions } from '../../../../src/connector/print/print.js';
import { fitText, textWidth, visibleText } from '../../../../src/connector/print/text-width.js';
import { batchesOf, openSink, writeAll } from '../connector-harness.js';

async function printed(records: readonly unknown[], options: PrintOptions = {}): Promise<string[]> {
  const lines: string[] = [];
  await writeAll(print({ writeLine: (line) => lines.push(line), ...options }), records);
  return lines;
}

describe('print', () => {
  it('draws a table with numbers to the right', async () => {
    const records = [
      { name: 'Rome', n: 1, mean: 2.5 },
      { name: null, n: 12345, mean: -0.12345 },
    ];
    expect(await printed(records, { title: 'Cities' })).toEqual([
      'Cities',
      '┌──────┬───────┬────────┐',
      '│ name │     n │   mean │',
      '├──────┼───────┼────────┤',
      '│ Rome │     1 │  2.500 │',
      '│ null │ 12345 │ -0.123 │',
      '└──────┴───────┴────────┘',
    ]);
  });

  it('fits the terminal, whatever the text', async () => {
    const records = [
      { short: 'a', long: 'x'.repeat(200), wide: '漢字'.repeat(30), emoji: '👨‍👩‍👧'.repeat(20) },
      { short: 'b\n\u001b[2J', long: 'y', wide: 'é'.normalize('NFD').repeat(50), emoji: '🇮🇹' },
    ];
    for (const width of [40, 60, 100]) {
      const lines = await printed(records, { width });
      expect(lines.map(textWidth)).toEqual(lines.map(() => width));
      expect(lines.join('')).not.toContain('\u001b');
      expect(lines[3]).toContain('…');
    }
  });

  it('says how many rows it leaves out, but not those that nobody asked for', async () => {
    const records = Array.from({ length: 500 }, (_, i) => ({ i }));
    const some = await printed(records, { rowsMax: 20 });
    expect(some).toHaveLength(20 + 4 + 1);
    expect(some.at(-1)).toBe('… 480 more rows');
    expect(await printed(records, { limit: 10 })).toHaveLength(10 + 4);
    expect(await printed(records, { limit: 300 })).toHaveLength(300 + 4);
    expect((await printed(records, { limit: 300, rowsMax: 20 })).at(-1)).toBe('… 280 more rows');
    expect((await printed(records.slice(0, 21), { rowsMax: 20 })).at(-1)).toBe('… 1 more row');
    expect(await printed([], { title: 'Nothing' })).toEqual(['Nothing: no rows.']);
  });

  it('orders by a field, largest first, with nulls last', async () => {
    const records = Array.from({ length: 5000 }, (_, i) => ({
      key: `k${i}`,
      v: i % 10 === 0 ? null : (i * 7919) % 5000,
    }));
    const top = await printed(records, { orderBy: 'v', limit: 3 });
    const values = (lines: string[]): string[] =>
      lines.slice(3, -1).map((line) => line.split('│')[2].trim());
    expect(values(top)).toEqual(['4999', '4998', '4997']);
    expect(values(await printed(records, { orderBy: 'v', limit: 2, ascending: true }))).toEqual([
      '1',
      '2',
    ]);
    expect(
      values(
        await printed(
          [
            { a: 1, v: null },
            { a: 2, v: 5 },
          ],
          { orderBy: 'v' },
        ),
      ),
    ).toEqual(['5', 'null']);
    await expect(printed(records, { orderBy: 'vv' })).rejects.toMatchObject({
      code: 'FIELD_UNKNOWN',
    });
  });

  it('dims null only when colors are wanted', async () => {
    expect((await printed([{ a: null, b: 1 }], { color: true }))[3]).toContain('\u001b[2m');
    expect((await printed([{ a: null, b: 1 }]))[3]).not.toContain('\u001b');
  });

  it('shows rows of a stream that does not end', async () => {
    const lines: string[] = [];
    const run = await openSink(print({ writeLine: (line) => lines.push(line) }));
    await run.write(batchesOf([{ a: 1 }]));
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(lines).toHaveLength(4);
    await run.write(batchesOf([{ a: 2, b: 'new column' }]));
    await run.prepare();
    expect(lines).toHaveLength(4 + 1 + 5);
    run.writer.close();
  });

  it('refuses unknown options', () => {
    expect(() => print({ rowMax: 3 } as object)).toThrow(
      expect.objectContaining({ code: 'OPTION_UNKNOWN' }),
    );
    expect(() => print({ limit: -1 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});

describe('text width', () => {
  it('counts cells and cuts at them', () => {
    expect(textWidth('abc')).toBe(3);
    expect(textWidth('漢字')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
    expect(fitText('漢字漢字', 5)).toBe('漢字…');
    expect(fitText('abcdef', 4)).toBe('abc…');
    expect(visibleText('a\tb\u0007')).toBe('a\\tb\\x07');
  });
});
