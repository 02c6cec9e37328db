/**
 * The layout of a directory of user metrics: a header, entries of fixed size that name the metrics, then the
 * values. Callers: the directory's writer and reader. Runs on: any thread. Invariant: entries below the count
 * are complete and never change; the count is stored atomically after its entry.
 */

import { HISTOGRAM_LENGTH } from './histogram-layout.js';

/** The types of metrics; an entry holds the index. */
export const METRIC_TYPES = ['counter', 'gauge', 'meter', 'histogram'] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

/** Int32 words of the header. */
export const DIRECTORY_WORDS = { count: 0, entriesMax: 1, valuesMax: 2 } as const;
export const DIRECTORY_HEADER_BYTES = 64;

/** Int32 words of an entry; its name follows as UTF-8. */
export const ENTRY_WORDS = { type: 0, firstValue: 1, nameBytes: 2, owner: 3 } as const;
export const ENTRY_NAME_OFFSET = 16;

/** Between the parts of a full name: groups, then the name; and between the two words of a group that has a value. */
export const PART_END = '\u0000';
export const VALUE_START = '\u0001';
export const ENTRY_BYTES = 256;
/** Longest name with its scope. */
export const ENTRY_NAME_BYTES_MAX = ENTRY_BYTES - ENTRY_NAME_OFFSET;

/** Where an entry begins. */
export function entryOffset(entry: number): number {
  return DIRECTORY_HEADER_BYTES + entry * ENTRY_BYTES;
}

/** Where the values begin. */
export function directoryValuesOffset(entriesMax: number): number {
  return entryOffset(entriesMax);
}

/** Bytes of a directory of so many metrics with so many float64 values together. */
export function directoryBytes(entriesMax: number, valuesMax: number): number {
  return directoryValuesOffset(entriesMax) + valuesMax * 8;
}

/** How much a directory holds. */
export interface DirectorySize {
  readonly metricsMax: number;
  /** How many of them may be histograms, which are large. */
  readonly histogramsMax: number;
}

/** Float64 values that a directory has room for. */
export function valuesMaxOf({ metricsMax, histogramsMax }: DirectorySize): number {
  const histograms = Math.min(metricsMax, histogramsMax);
  return metricsMax - histograms + histograms * HISTOGRAM_LENGTH;
}

/** Bytes of a directory of that size. */
export function userMetricsBytes(size: DirectorySize): number {
  return directoryBytes(size.metricsMax, valuesMaxOf(size));
}
