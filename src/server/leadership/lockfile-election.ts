/**
 * Servers with one data directory choose their leader by the files in it. A term has ended when its leader says so,
 * when its process is gone, or when it has shown no sign of life in so many looks in a row. Looks are counted and no
 * clock is read, so that neither a clock that jumps nor a pause of the one who looks ends a term. Callers: `server.ts`.
 * Runs on: the server's thread.
 */
import type { Disk } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { type Pause, pauseFor } from '../../base/pause.js';
import { isOfThisMachine, isRunning } from '../process-table.js';
import { DataFence, type ObservedTerm, observedTerm } from './data-fence.js';
import type { Candidate, Election, Term } from './election.js';

/** How often those who stand by look. */
const LOOK_MS = 100;
/** Signs of life in the time after which a leader without any is replaced. */
const BEATS_PER_TIMEOUT = 6;

/** What the election is about. */
export interface LockfileOptions {
  readonly disk: Disk;
  /** Absolute. */
  readonly dataDirectory: string;
  /** Without a sign of life for so long a leader is replaced. */
  readonly timeoutMs: number;
  /** Whether to wait while another server leads; otherwise it is an error, SERVER_RUNNING. */
  readonly standsBy: boolean;
}

/** The election. */
export class LockfileElection implements Election {
  readonly #options: LockfileOptions;
  #leader: Candidate | null = null;
  #isClosed = false;
  #pause: Pause | null = null;

  constructor(options: LockfileOptions) {
    this.#options = options;
  }

  get leader(): Candidate | null {
    return this.#leader;
  }

  async lead(self: Candidate): Promise<Term | null> {
    const { disk, dataDirectory, timeoutMs } = this.#options;
    let seen = '';
    let looks = 0;
    while (!this.#isClosed) {
      const term = observedTerm(disk, dataDirectory);
      const isNew = term.signOfLife !== seen;
      looks = isNew ? 0 : looks + 1;
      const isSilent = looks * LOOK_MS >= timeoutMs;
      this.#leader = term.isResigned ? null : term.leader;
      if (isSilent || this.#hasEnded(term)) {
        const fence = DataFence.claim(disk, dataDirectory, self, term.epoch);
        if (fence !== null) return this.#begin(fence, self);
      } else {
        this.#refuse(term, isNew && seen !== '');
      }
      seen = term.signOfLife;
      this.#pause = pauseFor(LOOK_MS);
      await this.#pause.over;
    }
    return null;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pause?.end();
  }

  #begin(fence: DataFence, self: Candidate): Term {
    this.#leader = self;
    const { timeoutMs } = this.#options;
    const timer = setInterval(() => fence.beat(), timeoutMs / BEATS_PER_TIMEOUT);
    const stop = (): void => clearInterval(timer);
    void fence.lost.then(stop);
    return {
      fence,
      lost: fence.lost,
      resign: async () => {
        stop();
        fence.resign();
      },
    };
  }

  /** What is plain without waiting. The process of another machine cannot be asked for. */
  #hasEnded({ epoch, isResigned, leader }: ObservedTerm): boolean {
    const { disk } = this.#options;
    if (epoch === 0 || isResigned) return true;
    if (leader === null || !isOfThisMachine(disk, leader.process)) return false;
    return !isRunning(disk, leader.process.pid, leader.process.start);
  }

  /** Throws SERVER_RUNNING once it is plain that another server leads, where nobody is to wait for its end. */
  #refuse({ leader }: ObservedTerm, isAlive: boolean): void {
    const { disk, dataDirectory, standsBy } = this.#options;
    if (standsBy || leader === null) return;
    if (!isAlive && !isOfThisMachine(disk, leader.process)) return;
    const { pid, host } = leader.process;
    throw new MillraceError(
      'SERVER_RUNNING',
      `The server ${leader.url} with process id ${pid} on ${host} has the data.`,
      {
        where: { file: dataDirectory },
        advice:
          'Stop it, start this one with another --data directory, or have it stand by with --ha.',
      },
    );
  }
}
