/**
 * What is said when somebody looks at the records of a running job: to the slots, and back. All plain data. Callers:
 * `taps.ts`, the slots, processes of jobs. Runs on: any thread; types only.
 */
import type { WireError } from '../base/errors.js';
import type { Expression } from '../operator/expression.js';

/** A place between chains where records exist as such. */
export type TapPlace =
  | { readonly kind: 'edge'; readonly edge: number }
  /** What the source of a vertex has read. */
  | { readonly kind: 'source'; readonly vertex: number }
  /** What a sink of a vertex is given. */
  | { readonly kind: 'sink'; readonly vertex: number; readonly sink: number };

/** To a slot. */
export type TapRequest =
  | {
      readonly kind: 'open';
      /** Tells taps apart. */
      readonly tap: number;
      readonly places: readonly TapPlace[];
      readonly filter: Expression | null;
      /** Records that a subtask shows at most in an interval. */
      readonly sample: number;
    }
  | { readonly kind: 'close'; readonly tap: number };

/** How a row changes what was before, as Flink writes it. */
export type ChangeKind = '+I' | '-U' | '+U' | '-D';

/** A record that was seen. */
export interface SeenRecord {
  readonly record: unknown;
  /** Event time in ms since the epoch; null where there is none. */
  readonly timeMs: number | null;
  readonly kind: ChangeKind;
}

/** From a slot: what one subtask has seen at one place since it last said so. */
export interface TapReport {
  readonly tap: number;
  /** Index in `places`. */
  readonly place: number;
  readonly subtask: number;
  /** Records that passed. */
  readonly passed: number;
  /** Those of them that the filter has looked at. */
  readonly looked: number;
  readonly records: readonly SeenRecord[];
  /** Why nothing more will come; null as long as more may. */
  readonly error: WireError | null;
}
