import { describe, expect, it } from 'vitest';
import {
  DIRECTORY_HEADER_BYTES,
  DIRECTORY_WORDS,
  directoryBytes,
  directoryValuesOffset,
  ENTRY_BYTES,
  ENTRY_NAME_BYTES_MAX,
  ENTRY_NAME_OFFSET,
  ENTRY_WORDS,
  entryOffset,
  METRIC_TYPES,
} from '../../../src/metrics/metric-directory-layout.js';

describe('metric directory layout', () => {
  it('has header, entries and values one behind the other, each aligned', () => {
    expect(Object.keys(DIRECTORY_WORDS).length * 4).toBeLessThanOrEqual(DIRECTORY_HEADER_BYTES);
    expect(Object.keys(ENTRY_WORDS).length * 4).toBeLessThanOrEqual(ENTRY_NAME_OFFSET);
    expect(ENTRY_NAME_OFFSET + ENTRY_NAME_BYTES_MAX).toBe(ENTRY_BYTES);
    expect(entryOffset(0)).toBe(DIRECTORY_HEADER_BYTES);
    expect(entryOffset(5) - entryOffset(4)).toBe(ENTRY_BYTES);
    expect(directoryValuesOffset(7)).toBe(entryOffset(7));
    expect(directoryValuesOffset(7) % 8).toBe(0);
    expect(directoryBytes(7, 10) - directoryValuesOffset(7)).toBe(80);
    expect(new Set(METRIC_TYPES).size).toBe(4);
  });
});
