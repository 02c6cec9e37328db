/**
 * Bad records of a run by reason, for the summary. Callers: the run command. Runs on: the main thread. Invariant:
 * memory is bounded by the number of reasons, which is bounded.
 */
import { shortPath } from './short-path.js';
import type { BadRecordReport } from '../runtime/messages.js';

/** Records that were bad for the same reason. */
export interface BadRecordGroup {
  readonly reason: string;
  readonly records: number;
  /** `file:line` of the first one; null when it is not known. */
  readonly firstPlace: string | null;
}

/** Further reasons are counted together. */
const REASONS_MAX = 20;
const OTHER = 'other reasons';

/** Counts bad records by reason. */
export class BadRecords {
  readonly #directory: string;
  readonly #groups = new Map<
    string,
    { reason: string; records: number; firstPlace: string | null }
  >();

  /** Paths below `directory` are shown without it. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  add(report: BadRecordReport): void {
    const key = reasonKey(report.error.message);
    const isKnown = this.#groups.has(key) || this.#groups.size < REASONS_MAX;
    const name = isKnown ? key : OTHER;
    const group = this.#groups.get(name);
    if (group !== undefined) group.records++;
    else {
      this.#groups.set(name, {
        reason: isKnown ? report.error.message : OTHER,
        records: 1,
        firstPlace: placeOf(report, this.#directory),
      });
    }
  }

  /** The most frequent reasons first; `total` counts also the records whose reasons were not reported. */
  groups(total: number): readonly BadRecordGroup[] {
    const groups = [...this.#groups.values()].sort((a, b) => b.records - a.records);
    const reported = groups.reduce((sum, group) => sum + group.records, 0);
    if (total <= reported) return groups;
    return [...groups, { reason: 'not looked into', records: total - reported, firstPlace: null }];
  }
}

/** Records fail for the same reason when the messages differ only in quoted values and numbers. */
function reasonKey(message: string): string {
  return message.replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '"…"').replace(/\d+(\.\d+)?/g, '#');
}

function placeOf(report: BadRecordReport, directory: string): string | null {
  if (report.file === null) return null;
  const { line, byteOffset } = report;
  const file = shortPath(report.file, directory);
  if (line !== null) return `${file}:${line}`;
  return byteOffset === null ? file : `${file} at byte ${byteOffset}`;
}
