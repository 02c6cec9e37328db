/**
 * What chains consist of beside what every chain has. Callers: the chain is given it by whoever makes it, in slots by
 * `load-chain-parts.ts`. Runs on: the slot's thread; types.
 */
import type * as Computing from './computing.js';
import type * as Sorting from './sorting.js';
import type * as Stateful from './stateful.js';

/** The parts of a chain; null, or omitted, for what it does without. */
export interface ChainParts {
  /** What operators with expressions of their own consist of. */
  readonly computing?: typeof Computing | null;
  /** What operators with state consist of. */
  readonly stateful?: typeof Stateful | null;
  /** What sorts consist of. */
  readonly sorting?: typeof Sorting | null;
}

/** A part that is loaded. */
export type LoadedPart<Name extends keyof ChainParts> = NonNullable<ChainParts[Name]>;
