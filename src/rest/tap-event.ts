/**
 * What a tap tells over REST. Callers: the server writes it, the command line and the console read it. Runs on: any
 * thread; types only.
 */

/** An event `records`: what was seen since the last one, and how much of what so far. */
export interface TapEvent {
  readonly records: readonly {
    /** As JSON; what has no form there is an object with one member that begins with `$`, as in `millrace state`. */
    readonly record: unknown;
    readonly timeMs: number | null;
    readonly kind: string;
    readonly at: string;
    readonly subtask: number;
  }[];
  /** Records that were sent. */
  readonly shown: number;
  /** Records that passed while the tap was open. */
  readonly passed: number;
  /** Those of them that the filter looked at. */
  readonly looked: number;
}
