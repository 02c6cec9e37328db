import { expect, it } from 'vitest';
import { lineStartFrom } from '../../../../src/format/bytes/line-start.js';

function fileOf(text: string): Parameters<typeof lineStartFrom>[0] {
  const bytes = Buffer.from(text);
  return { bytes: bytes.length, read: (target, position) => bytes.copy(target, 0, position) };
}

it('finds the first line start at or after a place', () => {
  const file = fileOf('ab\n\ncd');
  const starts = [0, 1, 2, 3, 4, 5, 6].map((place) => lineStartFrom(file, place));
  expect(starts).toEqual([3, 3, 3, 3, 4, 6, 6]);
});

it('looks on when a line is longer than its window', () => {
  expect(lineStartFrom(fileOf(`${'x'.repeat(100_000)}\ny`), 5)).toBe(100_001);
});
