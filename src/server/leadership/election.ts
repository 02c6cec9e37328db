/**
 * What every way of choosing a leader among the servers of one cluster has in common. A leader has a term with a
 * number, the epoch, that no other term ever has; what it writes is fenced by that (`data-fence.ts`), so that one which
 * has not noticed its end does no harm. Callers: `server.ts`, the elections. Runs on: the server's thread; types only.
 */
import type { MillraceError } from '../../base/errors.js';
import type { ProcessIdentity } from '../process-table.js';
import type { DataFence } from './data-fence.js';

/** A server that leads, or stands for it. */
export interface Candidate {
  /** Where clients find it. */
  readonly url: string;
  readonly process: ProcessIdentity;
}

/** The time for which a server leads. */
export interface Term {
  readonly fence: DataFence;
  /** Settles when the term has ended against the will of the leader, with LEADERSHIP_LOST. */
  readonly lost: Promise<MillraceError>;
  /** Ends the term in order, so that the next leader need not wait. */
  resign(): Promise<void>;
}

/** A way of choosing. */
export interface Election {
  /** Whoever leads now, as far as this server knows; null for nobody. */
  readonly leader: Candidate | null;
  /** Waits until this server leads; null when the election is closed before. Called once. */
  lead(self: Candidate): Promise<Term | null>;
  /** Stands no longer. Terms are resigned apart. */
  close(): Promise<void>;
}
