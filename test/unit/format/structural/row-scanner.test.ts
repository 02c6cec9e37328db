/**
 * The compiled row scanner: built from the source beside it, available here, and right about single rows.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ScanBlock } from '../../../../src/format/structural/scan-block.js';
import {
  createScanMemory,
  type ScanMemory,
} from '../../../../src/format/structural/scan-memory.js';
import {
  createScanProgram,
  FLAG_MAY_LACK,
  FLAG_MAY_MISS,
  FLAG_NULLABLE,
  MARK_ESCAPED,
  MARK_MISSING,
  MARK_NULL,
  MARK_SPELLED,
  type ScanStep,
  STEP_BOOL,
  STEP_NUMBER,
  STEP_RANGE,
  STEP_SKIP,
  STEP_TEXT,
} from '../../../../src/format/structural/scan-program.js';
import { SCANNER_SOURCE_HASH } from '../../../../src/format/structural/scanner-module.js';

const SOURCE = new URL('../../../../src/format/structural/row-scanner.as', import.meta.url);

describe('row scanner', () => {
  it('is compiled from its source as it is', () => {
    const hash = createHash('sha256').update(readFileSync(SOURCE)).digest('hex');
    expect(SCANNER_SOURCE_HASH, 'run node scripts/build-webassembly.mjs').toBe(hash);
  });

  it('is not had where there is no memory for it', () => {
    expect(createScanMemory(2 ** 40)).toBeNull();
  });

  it('puts numbers, ranges and marks', () => {
    const { block, rows, text } = scan(
      [
        step('"a":', STEP_NUMBER, FLAG_NULLABLE),
        step('"b":', STEP_TEXT, FLAG_MAY_LACK | FLAG_MAY_MISS),
        step('"c":', STEP_BOOL),
        step('"d":', STEP_RANGE),
        step('"e":', STEP_SKIP),
      ],
      [
        '{"a":-12.5,"b":"x","c":true,"d":[1,{"f":"}]"}],"e":"a, \\"b"}',
        '{"a":null,"c":false,"d":"t","e":1}',
        '{"a":1e3,"b":"y\\n","c":true,"d":7,"e":{"f":[]}}',
      ],
    );
    expect(rows).toBe(3);
    const [a, b, c, d] = block.lanes[0].columns;
    expect(a.values[0]).toBe(-12.5);
    expect([...a.marks.subarray(0, 3)]).toEqual([0, MARK_NULL, MARK_SPELLED]);
    expect(text(0, 2)).toBe('1e3');
    expect([...b.marks.subarray(0, 3)]).toEqual([0, MARK_MISSING, MARK_ESCAPED]);
    expect([text(1, 0), text(1, 2)]).toEqual(['x', 'y\\n']);
    expect([...c.values.subarray(0, 3)]).toEqual([1, 0, 1]);
    expect([0, 1, 2].map((row) => text(3, row))).toEqual(['[1,{"f":"}]"}]', '"t"', '7']);
    expect(d.isMarked).toBe(false);
  });

  it.each([
    ['a leading zero', '{"a":01}'],
    ['no digit behind the point', '{"a":1.}'],
    ['no digit', '{"a":-}'],
    ['no exponent', '{"a":1e}'],
    ['a text', '{"a":"1"}'],
    ['another key', '{"b":1}'],
    ['a key that goes on', '{"ab":1}'],
    ['another key behind', '{"a":1,"b":2}'],
    ['no end', '{"a":1'],
    ['text behind', '{"a":1} '],
    ['nothing', ''],
  ])('stops before a row with %s', (_, row) => {
    const { block, rows } = scan([step('"a":', STEP_NUMBER)], ['{"a":1}', row, '{"a":2}']);
    expect(rows).toBe(1);
    expect(block.lanes[0].next).toBe(8);
  });

  it.each(['"a\tb"', '"\\x"', '"\\u12g4"', 'nul', 'tru', '01', '1.', '[1]'])(
    'leaves %s to others when all is checked, and else walks over it',
    (value) => {
      const steps = [step('"a":', STEP_SKIP)];
      const lines = [`{"a":${value}}`, '{"a":[]}'];
      expect(scan(steps, lines, true).rows).toBe(0);
      expect(scan(steps, lines).rows).toBe(2);
    },
  );

  it('finds the end of texts of every length', () => {
    const lines = Array.from({ length: 200 }, (_, length) => `{"a":"${'x'.repeat(length)}"}`);
    const { rows, text } = scan([step('"a":', STEP_TEXT)], lines);
    expect(rows).toBe(200);
    expect(lines.map((_, row) => text(0, row).length)).toEqual(lines.map((_, row) => row));
  });

  it('takes keys of every length', () => {
    for (let length = 0; length < 70; length++) {
      const key = `"${'k'.repeat(length)}":`;
      const lines = [`{${key}1}`, `{${key.replace(/k?":/, 'j":')}1}`];
      expect(scan([step(key, STEP_NUMBER)], lines).rows).toBe(1);
    }
  });

  it('scans two lanes where a row start is where it is expected', () => {
    const lines = Array.from({ length: 400 }, (_, row) => `{"a":${row % 10},"b":"t${row % 7}"}`);
    const { block, bytes } = scan([step('"a":', STEP_NUMBER), step('"b":', STEP_TEXT)], lines);
    const end = lines.join('\n').length + 1;
    const read: [number, string][] = [];
    let at = 0;
    let second = 0;
    while (at < end) {
      block.scan(at, end, 100);
      for (const { columns, rows, next } of block.lanes) {
        const { ranges } = columns[1];
        for (let row = 0; row < rows; row++) {
          const text = bytes.toString('latin1', ranges[row * 2], ranges[row * 2 + 1]);
          read.push([columns[0].values[row], text]);
        }
        if (rows > 0) at = next;
      }
      second += block.lanes[1].rows;
    }
    expect(read).toEqual(lines.map((_, row) => [row % 10, `t${row % 7}`]));
    expect(second).toBeGreaterThan(100);
  });

  it('gives texts of up to 32 bytes codes until there are too many', () => {
    const texts = Array.from({ length: 5000 }, (_, row) =>
      row % 3 === 0 ? 'x'.repeat(row % 40) : `text ${row % 2900}`,
    );
    const { block, bytes } = scan([step('"a":', STEP_TEXT)], ['{"a":"first"}']);
    const known = new Map<number, string>();
    for (const text of texts) {
      block.scan(0, bytes.write(`{"a":${JSON.stringify(text)}}\n`), 1);
      const given = block.lanes[0].columns[0].codes[0];
      if (text.length > 32) expect(given).toBe(-1);
      if (given < 0) continue;
      expect(known.get(given) ?? text).toBe(text);
      known.set(given, text);
    }
    // One is of the first row, and one stands for texts within objects that are not there.
    expect(known.size).toBe(2046);
    expect(new Set(known.values()).size).toBe(2046);
  });

  it('refuses programs that are too large', () => {
    const steps = Array.from({ length: 2000 }, () => step('"a":', STEP_SKIP));
    expect(createScanProgram({ steps, tail: Buffer.from('}\n'), full: false })).toBeNull();
  });
});

function step(lead: string, kind: ScanStep['kind'], flags = 0): ScanStep {
  return { lead: Buffer.from(lead), kind, flags };
}

/** Scans lines; `text` gives what a range of a column shows. */
function scan(
  steps: readonly ScanStep[],
  lines: readonly string[],
  full = false,
): {
  block: ScanBlock;
  rows: number;
  bytes: Buffer;
  text: (column: number, row: number) => string;
} {
  const program = createScanProgram({ steps, tail: Buffer.from('}\n'), full });
  const memory: ScanMemory | null = createScanMemory(65536);
  if (program === null || memory === null) throw new Error('The scanner is available.');
  const bytes = memory.buffer.write(lines.map((line) => `${line}\n`).join(''));
  const block = new ScanBlock(memory, program, 'json');
  const rows = block.scan(0, bytes, 1000);
  const text = (column: number, row: number): string => {
    const { ranges } = block.lanes[0].columns[column];
    return memory.buffer.toString('latin1', ranges[row * 2], ranges[row * 2 + 1]);
  };
  return { block, rows, bytes: memory.buffer, text };
}
