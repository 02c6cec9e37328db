/**
 * Servers choose their leader by ZooKeeper: each has a place in a line that it loses with its session, and the first
 * one leads. The number of a term is in ZooKeeper too, written with the version that was read, so that of two servers
 * that take themselves for the first only one gets it; the data are then claimed under that number. Callers:
 * `server.ts`. Runs on: the server's thread.
 */
import type { Disk } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { pauseFor } from '../../base/pause.js';
import { DataFence, observedTerm } from './data-fence.js';
import type { Candidate, Election, Term } from './election.js';
import { type SessionOptions, ZooKeeperSession } from './zookeeper-session.js';

/** Before a server stands again that has lost its session, or has not got its term. */
const AGAIN_MS = 200;
/** How often a leader looks whether its term has been taken over. */
const LOOK_MS = 500;

/** What the election is about. */
export interface ZooKeeperOptions extends SessionOptions {
  readonly disk: Disk;
  /** Absolute; the same directory for all servers. */
  readonly dataDirectory: string;
  /** Where the servers of the cluster have their line. */
  readonly path: string;
}

/** The election. */
export class ZooKeeperElection implements Election {
  readonly #options: ZooKeeperOptions;
  #leader: Candidate | null = null;
  #session: ZooKeeperSession | null = null;
  #leads = false;
  #isClosed = false;

  constructor(options: ZooKeeperOptions) {
    this.#options = options;
  }

  get leader(): Candidate | null {
    return this.#leader;
  }

  /** Rejects with ELECTION_FAILED when ZooKeeper cannot be reached at the start; later it waits. */
  async lead(self: Candidate): Promise<Term | null> {
    for (let attempt = 1; !this.#isClosed; attempt++) {
      let session: ZooKeeperSession | null = null;
      try {
        session = await ZooKeeperSession.begin(this.#options);
        this.#session = session;
        await session.connected();
        const term = await this.#stand(session, self);
        if (term !== null) return term;
      } catch (error) {
        // Of a session that has ended, the next one tells more.
        if (MillraceError.is(error) && (attempt === 1 || error.code !== 'ELECTION_FAILED')) {
          throw error;
        }
      }
      session?.close();
      this.#leader = null;
      await pauseFor(AGAIN_MS).over;
    }
    return null;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // That of a leader is closed when it resigns.
    if (!this.#leads) this.#session?.close();
  }

  /** Waits in line; null when the session has ended, or another server has been faster. */
  async #stand(session: ZooKeeperSession, self: Candidate): Promise<Term | null> {
    const line = `${this.#options.path}/candidates`;
    await session.makePath(line);
    await session.makePath(`${this.#options.path}/epoch`);
    const own = await session.takePlace(line, JSON.stringify(self));
    let isOver = false;
    const over = session.ended.then(() => {
      isOver = true;
    });
    while (!isOver) {
      const { names, changed } = await session.line(line);
      const [first = ''] = names;
      if (first === own) return this.#claim(session, self);
      const leader = await session.read(`${line}/${first}`);
      // It has gone in between.
      if (leader === null) continue;
      this.#leader = JSON.parse(leader.text);
      await Promise.race([changed, over]);
    }
    return null;
  }

  async #claim(session: ZooKeeperSession, self: Candidate): Promise<Term | null> {
    const { disk, dataDirectory, path } = this.#options;
    const known = await session.read(`${path}/epoch`);
    if (known === null) return null;
    // The data may have been led without ZooKeeper, or with one that has lost what it knew.
    const before = Math.max(Number(known.text) || 0, observedTerm(disk, dataDirectory).epoch);
    const isOurs = await session.write(`${path}/epoch`, String(before + 1), known.version);
    if (!isOurs) return null;
    const fence = DataFence.claim(disk, dataDirectory, self, before);
    if (fence === null) return null;
    this.#leader = self;
    this.#leads = true;
    return termOf(session, fence);
  }
}

function termOf(session: ZooKeeperSession, fence: DataFence): Term {
  const timer = setInterval(() => fence.beat(), LOOK_MS);
  const expired = session.ended.then(
    (why) =>
      new MillraceError(
        'LEADERSHIP_LOST',
        `The term ${fence.epoch} of this server is over: ${why}.`,
        {
          advice: 'Start it again to have it stand by.',
        },
      ),
  );
  const lost = Promise.race([fence.lost, expired]).finally(() => clearInterval(timer));
  return {
    fence,
    lost,
    resign: async () => {
      clearInterval(timer);
      fence.resign();
      session.close();
    },
  };
}
