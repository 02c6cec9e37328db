/**
 * How watermarks are made, as plain data plus functions of the user: part of the description of an operator that
 * assigns event times. Callers: the api makes it, the graph hashes and explains it, `watermark-source.ts` runs
 * it. Runs on: any thread.
 */

/**
 * A watermark generator of the user. Both methods may give a watermark: whole milliseconds since the epoch, a
 * promise that no record with that event time or an earlier one follows. Watermarks that do not rise are ignored.
 */
export interface WatermarkGenerator<T = unknown> {
  /** Called for each record, after it was given its event time and before it goes on. */
  onRecord(record: T, timestampMs: number): number | null | undefined | void;
  /** Called every `pipeline.autoWatermarkInterval`; `nowMs` is the wall clock. */
  onTick?(nowMs: number): number | null | undefined | void;
}

/** Where watermarks come from. */
export type WatermarkGeneration =
  /** The latest event time - `outOfOrdernessMs` - 1, every `pipeline.autoWatermarkInterval`. */
  | { readonly kind: 'bounded'; readonly outOfOrdernessMs: number }
  /** What the function gives for a record, right behind that record. */
  | {
      readonly kind: 'punctuated';
      // biome-ignore lint/suspicious/noExplicitAny: the engine calls it with what the typed api promised.
      readonly fn: (record: any, timestampMs: number) => number | null | undefined | void;
    }
  /** A generator per subtask. */
  | {
      readonly kind: 'custom';
      // biome-ignore lint/suspicious/noExplicitAny: the engine calls it with what the typed api promised.
      readonly create: () => WatermarkGenerator<any>;
    }
  /** None but that of the end of input. */
  | { readonly kind: 'none' };

/** Members of a group do not run ahead of each other in event time by more than a limit. */
export interface WatermarkAlignment {
  readonly group: string;
  /** How far a member may be ahead of the one that is furthest behind. */
  readonly maxDriftMs: number;
  /** How often members look at each other. */
  readonly updateIntervalMs: number;
}

/** All that decides the watermarks behind an operator. */
export interface WatermarkStrategy {
  readonly generation: WatermarkGeneration;
  /** Without a record for so long it says that it is idle, so that nobody waits for it; null for never. */
  readonly idleTimeoutMs: number | null;
  readonly alignment: WatermarkAlignment | null;
}
