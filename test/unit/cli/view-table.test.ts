import { describe, expect, it } from 'vitest';
import { textWidth } from '../../../src/connector/print/text-width.js';
import { liveLines } from '../../../src/cli/run-view.js';
import { PAINTED_STYLE, PLAIN_STYLE } from '../../../src/cli/style.js';
import { viewModel } from '../../../src/runtime/view-model.js';
import { chainTable } from '../../../src/cli/view-table.js';
import { edge, slowAggregation, vertex } from './metrics-fixtures.js';

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');

function linesAt(columns: number, rows = 40): string[] {
  const model = viewModel(slowAggregation(), null);
  const frame = { model, slots: 2, time: null, columns, rows, style: PLAIN_STYLE };
  return liveLines(frame).map((line) => line.text);
}

describe('the live block', () => {
  it('fits 60 columns', () => {
    expect(linesAt(60)).toMatchInlineSnapshot(`
      [
        "chain                   rows/s    rows  busy  blocked  idle",
        "csv flig… → part… ×2  1.50 M/s  3.00 M   28%      63%    3%",
        "  └ hash edge to the next chain is 87 % full",
        "aggregate → csv … ×2  1.40 M/s  2.80 M   94%       0%    2%",
        "print worst ×1            20/s      40    0%       0%  100%",
        "",
        " 75 %  3.00 M rows, 1.50 M rows/s, 2.00 s, about 1 s left",
        ""aggregate → … → csv out/daily" sets the pace: busy 94 % o…",
      ]
    `);
  });

  it('fits 100 columns', () => {
    expect(linesAt(100)).toMatchInlineSnapshot(`
      [
        "chain                                      rows/s    rows    bytes              busy  blocked  idle",
        "csv flights/*.csv.gz → partial agg… ×2   1.50 M/s  3.00 M   143 MB  ███▒▒▒▒▒▒░   28%      63%    3%",
        "  └ hash edge to the next chain is 87 % full",
        "aggregate → map → csv out/daily ×2       1.40 M/s  2.80 M  53.4 MB  █████████░   94%       0%    2%",
        "print worst ×1                               20/s      40  2.05 KB  ··········    0%       0%  100%",
        "",
        "━━━━━━━━━━━━━━━━━━━━━━──────── 75 %  3.00 M rows, 1.50 M rows/s, 143 MB, 2.00 s, about 1 s left",
        ""aggregate → … → csv out/daily" sets the pace: busy 94 % of the time",
      ]
    `);
  });

  it('fits 160 columns', () => {
    expect(linesAt(160)).toMatchInlineSnapshot(`
      [
        "chain                                                                    rows/s    rows    bytes    bytes/s                        busy  blocked  idle",
        "csv flights/*.csv.gz → filter → select → partial aggregate ×2          1.50 M/s  3.00 M   143 MB  71.5 MB/s  ██████▒▒▒▒▒▒▒▒▒▒▒▒▒·   28%      63%    3%",
        "  └ hash edge to the next chain is 87 % full",
        "aggregate → map → csv out/daily ×2                                     1.40 M/s  2.80 M  53.4 MB  26.7 MB/s  ███████████████████░   94%       0%    2%",
        "print worst ×1                                                             20/s      40  2.05 KB  1.03 KB/s  ····················    0%       0%  100%",
        "",
        "━━━━━━━━━━━━━━━━━━━━━━──────── 75 %  3.00 M rows, 1.50 M rows/s, 143 MB, 2.00 s, about 1 s left",
        ""aggregate → … → csv out/daily" sets the pace: busy 94 % of the time",
      ]
    `);
  });

  it('never fills the last column, whatever the width, and says how wide its lines are', () => {
    const model = viewModel(slowAggregation(), null);
    for (let columns = 30; columns <= 200; columns++) {
      const frame = { model, slots: 2, time: null, columns, rows: 40, style: PLAIN_STYLE };
      for (const { text, width } of liveLines(frame)) {
        expect(textWidth(text)).toBeLessThan(columns);
        expect(textWidth(text)).toBe(width);
      }
    }
  });

  it('has the same text with colours', () => {
    const model = viewModel(slowAggregation(), null);
    const frame = { model, slots: 2, time: null, columns: 100, rows: 40 };
    const plain = liveLines({ ...frame, style: PLAIN_STYLE }).map((line) => line.text);
    const painted = liveLines({ ...frame, style: PAINTED_STYLE }).map((line) => line.text);
    expect(painted).not.toEqual(plain);
    expect(painted.map((text) => text.replaceAll(ESCAPES, ''))).toEqual(plain);
  });
});

describe('a table that is higher than the terminal', () => {
  it('keeps the busiest chains in the order of the plan', () => {
    const vertices = Array.from({ length: 30 }, (_, id) =>
      vertex({ id, name: `chain ${id}` }, [{ busyMs: id === 3 || id === 20 ? 900 : id }]),
    );
    const edges = [edge({ queuedBytes: 1 })];
    const model = viewModel({ elapsedMs: 1000, vertices, edges, process: null }, null);
    const look = { width: 80, linesMax: 4, style: PLAIN_STYLE, marked: null };
    const lines = chainTable(model, look).map((line) => line.text);
    expect(lines).toHaveLength(4);
    expect(lines[1]).toContain('chain 3 ');
    expect(lines[2]).toContain('chain 20');
    expect(lines[3]).toBe('… 28 more, less busy');
  });
});

describe('names of chains', () => {
  const nameAt = (name: string, width: number): string => {
    const vertices = [vertex({ id: 0, name }, [{}, {}])];
    const model = viewModel({ elapsedMs: 1000, vertices, edges: [], process: null }, null);
    const look = { width, linesMax: 9, style: PLAIN_STYLE, marked: null };
    return (chainTable(model, look)[1]?.text ?? '').split(/ {2,}/)[0] ?? '';
  };

  it('lose their middle first', () => {
    const name = 'csv in.csv -> filter -> select -> map -> csv out';
    expect(nameAt(name, 130)).toBe('csv in.csv → filter → select → map → csv out ×2');
    expect(nameAt(name, 98)).toBe('csv in.csv → filter → … → csv out ×2');
    expect(nameAt(name, 66)).toBe('csv in.csv → … → csv out ×2');
  });

  it('keep something of both ends when not even those fit', () => {
    const name = 'a source with a very long name -> an operator with a long name too';
    const shown = nameAt(name, 60);
    expect(shown).toBe('a source… → an op… ×2');
  });

  it('may have characters of two cells', () => {
    expect(textWidth(nameAt('読む読む読む読む読む読む読む -> 書く', 60))).toBeLessThanOrEqual(21);
  });
});
