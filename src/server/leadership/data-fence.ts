/**
 * Who may write to the data directory: a leader has a directory `leader/epoch-N`, in which it prepares whatever it
 * writes, and whoever leads next removes it. Renaming from a directory that is gone fails, so that a leader which was
 * stopped for a while loses within the one system call that would have changed something. Callers: the elections claim
 * it, the stores write through it. Runs on: the server's thread. Invariants: epochs only grow; what a leader reads
 * after its claim is all that earlier ones will ever have written.
 */
import { join } from 'node:path';
import type { Disk } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { freshId } from '../../base/random.js';
import { CheckpointFence, isEpochName } from '../../checkpoint/checkpoint-fence.js';
import { DurableFiles } from '../../checkpoint/durable-files.js';
import { readContent } from '../../checkpoint/file-content.js';
import type { Candidate } from './election.js';

const HOME = 'leader';
const OWNER = 'owner';
/** In place of the owner when a term has ended in order. */
const RESIGNED = 'resigned';
/** The sign of life is a file whose name changes, since that takes no space on a disk that is full. */
const BEAT = /^beat-\d+$/;

/** The newest term as its files tell of it. */
export interface ObservedTerm {
  /** 0 before the first one. */
  readonly epoch: number;
  /** Null where it cannot be read, as in the instant in which a term begins. */
  readonly leader: Candidate | null;
  readonly isResigned: boolean;
  /** Changes for as long as the leader lives. */
  readonly signOfLife: string;
}

/** The right of one term. */
export class DataFence {
  readonly epoch: number;
  /** Where this leader prepares what it writes. Gone as soon as another one leads. */
  readonly directory: string;
  /** Settles when it is found that another server leads, with LEADERSHIP_LOST. */
  readonly lost: Promise<MillraceError>;
  readonly #fence: CheckpointFence;
  readonly #disk: Disk;
  readonly #data: string;
  #beats = 0;
  #isResigned = false;
  #onLost: (error: MillraceError) => void = () => {};

  private constructor(disk: Disk, data: string, fence: CheckpointFence) {
    this.epoch = fence.attempt;
    this.directory = fence.directory;
    this.#fence = fence;
    this.#disk = disk;
    this.#data = data;
    this.lost = new Promise((resolve) => {
      this.#onLost = resolve;
    });
    disk.createNew(this.#beatFile()).close();
  }

  /** Takes over from the term `after`; null when another server has been faster. */
  static claim(disk: Disk, data: string, self: Candidate, after: number): DataFence | null {
    const files = new DurableFiles(disk, 'always');
    const home = join(data, HOME);
    files.makeDirectory(home);
    const owner = JSON.stringify({ ...self, id: freshId() });
    let claim: CheckpointFence | null = null;
    try {
      claim = CheckpointFence.claim(disk, home, owner, after);
      // An epoch that a loss of power took back would be given away twice.
      files.syncDirectory(home);
      return new DataFence(disk, data, claim);
    } catch (error) {
      const isFenced = MillraceError.is(error) && error.code === 'CHECKPOINT_FENCED';
      if (isFenced || claim?.isHeld() === false) return null;
      throw error;
    }
  }

  /** Runs what only the leader may do. Throws LEADERSHIP_LOST when another one leads meanwhile. */
  guarded<T>(action: () => T): T {
    this.#check();
    try {
      return action();
    } catch (error) {
      this.#check();
      throw error;
    }
  }

  /** Shows that the leader lives, and looks whether it still leads. */
  beat(): void {
    const before = this.#beatFile();
    this.#beats++;
    try {
      this.#disk.rename(before, this.#beatFile());
    } catch (error) {
      this.#beats--;
      if (!MillraceError.is(error)) throw error;
      if (!this.#isHeld()) this.#onLost(this.#error());
    }
  }

  /** Ends the term in order. Its number stays, so that no other term gets it. */
  resign(): void {
    this.#isResigned = true;
    if (!this.#fence.isHeld()) return;
    try {
      this.#disk.rename(join(this.directory, OWNER), join(this.directory, RESIGNED));
    } catch (error) {
      if (this.#fence.isHeld()) throw error;
    }
  }

  #isHeld(): boolean {
    return !this.#isResigned && this.#fence.isHeld();
  }

  #check(): void {
    if (this.#isHeld()) return;
    const error = this.#error();
    this.#onLost(error);
    throw error;
  }

  #beatFile(): string {
    return join(this.directory, `beat-${this.#beats}`);
  }

  #error(): MillraceError {
    const { leader } = observedTerm(this.#disk, this.#data);
    const other = leader === null ? 'Another server' : `The server ${leader.url}`;
    return new MillraceError(
      'LEADERSHIP_LOST',
      `${other} leads now; the term ${this.epoch} of this one is over, and it changes no more.`,
      {
        where: { file: this.#data },
        advice:
          'Start it again to have it stand by. A server loses its term when it is stopped, or ' +
          'its disk or network stalls, for longer than the timeout of its leadership.',
      },
    );
  }
}

/** The newest term of a data directory. */
export function observedTerm(disk: Disk, data: string): ObservedTerm {
  const home = join(data, HOME);
  const epochs = disk.list(home).filter(isEpochName);
  const epoch = Math.max(0, ...epochs.map((name) => Number(name.slice('epoch-'.length))));
  const directory = join(home, `epoch-${epoch}`);
  const names = disk.list(directory);
  const owner = readContent(disk, join(directory, OWNER));
  const content = owner === null ? '' : Buffer.from(owner).toString();
  return {
    epoch,
    leader: candidateIn(content),
    isResigned: names.includes(RESIGNED),
    signOfLife: `${epoch} ${names.find((name) => BEAT.test(name)) ?? ''} ${content}`,
  };
}

/** Null for the half of one, as of a server that was killed while it wrote it. */
function candidateIn(content: string): Candidate | null {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}
