/**
 * One session with ZooKeeper: connects, and gives what an election asks for as promises. A session that is out of touch
 * for two thirds of its timeout counts as ended, before ZooKeeper can give its place to another. Callers:
 * `zookeeper-election.ts`. Runs on: the server's thread.
 */
import type { Client, Failure } from 'node-zookeeper-client';
import { MillraceError } from '../../base/errors.js';
import { pauseFor } from '../../base/pause.js';

type Package = typeof import('node-zookeeper-client')['default'];

/** How often a client that is out of touch tries the next server. */
const RETRY_MS = 100;

/** How to reach ZooKeeper. */
export interface SessionOptions {
  /** As `host:port,host:port`. */
  readonly quorum: string;
  readonly sessionTimeoutMs: number;
  readonly connectionTimeoutMs: number;
}

/** A value, and what tells whether it has been changed since. */
export interface Versioned {
  readonly text: string;
  readonly version: number;
}

/** The session. */
export class ZooKeeperSession {
  /** Settles when the session has ended, with why; it then holds nothing any more. */
  readonly ended: Promise<string>;
  readonly #client: Client;
  readonly #zookeeper: Package;
  readonly #options: SessionOptions;
  readonly #connected: Promise<void>;
  #onEnded: (why: string) => void = () => {};

  private constructor(zookeeper: Package, options: SessionOptions) {
    const { quorum, sessionTimeoutMs } = options;
    this.#zookeeper = zookeeper;
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#onEnded = resolve;
    });
    this.#client = zookeeper.createClient(quorum, {
      sessionTimeout: sessionTimeoutMs,
      spinDelay: RETRY_MS,
    });
    let timer: NodeJS.Timeout | undefined;
    this.#connected = new Promise((resolve) => {
      this.#client.on('connected', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#client.on('disconnected', () => {
      const patienceMs = (this.#client.getSessionTimeout() * 2) / 3;
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.#onEnded(`ZooKeeper at ${quorum} could not be reached for ${patienceMs} ms`);
      }, patienceMs);
    });
    this.#client.on('expired', () => this.#onEnded('the session with ZooKeeper has expired'));
    void this.ended.then(() => clearTimeout(timer));
    this.#client.connect();
  }

  /** A session that is about to connect. Rejects with ELECTION_FAILED where the package is missing. */
  static async begin(options: SessionOptions): Promise<ZooKeeperSession> {
    return new ZooKeeperSession(await loadPackage(), options);
  }

  /** Waits until there is a connection. Rejects with ELECTION_FAILED when nobody answers in time. */
  async connected(): Promise<void> {
    const late = pauseFor(this.#options.connectionTimeoutMs);
    const isThere = this.#connected.then(() => true);
    const isNot = Promise.race([late.over, this.ended]).then(() => false);
    const isConnected = await Promise.race([isThere, isNot]);
    late.end();
    if (!isConnected) throw unreachable(this.#options);
  }

  /** Ends the session, and with it all places that it holds. */
  close(): void {
    this.#client.close();
    this.#onEnded('it was closed');
  }

  makePath(path: string): Promise<void> {
    return this.#ask<void>((done) => this.#client.mkdirp(path, done));
  }

  /** A place in the line of those who have one below the path; its name. It is there as long as the session. */
  async takePlace(path: string, text: string): Promise<string> {
    const { EPHEMERAL_SEQUENTIAL } = this.#zookeeper.CreateMode;
    const created = await this.#ask<string>((done) =>
      this.#client.create(`${path}/c-`, Buffer.from(text), EPHEMERAL_SEQUENTIAL, done),
    );
    return created.slice(path.length + 1);
  }

  /** Those below the path, the first in line first, and what settles when they are others. */
  async line(
    path: string,
  ): Promise<{ readonly names: readonly string[]; readonly changed: Promise<void> }> {
    let onChange = (): void => {};
    const changed = new Promise<void>((resolve) => {
      onChange = resolve;
    });
    const names = await this.#ask<readonly string[]>((done) =>
      this.#client.getChildren(path, onChange, done),
    );
    return { names: names.toSorted(), changed };
  }

  /** Null where there is nothing. */
  async read(path: string): Promise<Versioned | null> {
    try {
      return await new Promise((resolve, reject) => {
        void this.ended.then((why) => reject(new Error(why)));
        this.#client.getData(path, (failure, data, stat) => {
          if (failure !== null) reject(failure);
          else resolve({ text: data?.toString() ?? '', version: stat.version });
        });
      });
    } catch (error) {
      if (this.#hasCode(error, this.#zookeeper.Exception.NO_NODE)) return null;
      throw error;
    }
  }

  /** Whether the value was written: not when it is another one than that version. */
  async write(path: string, text: string, version: number): Promise<boolean> {
    try {
      await this.#ask<void>((done) => this.#client.setData(path, Buffer.from(text), version, done));
      return true;
    } catch (error) {
      if (this.#hasCode(error, this.#zookeeper.Exception.BAD_VERSION)) return false;
      throw error;
    }
  }

  #ask<T>(ask: (done: (failure: Failure, value?: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      void this.ended.then((why) => reject(new Error(why)));
      ask((failure, value) => {
        if (failure) reject(failure);
        else resolve(value as T);
      });
    });
  }

  #hasCode(error: unknown, code: number): boolean {
    const { getCode } = Object(error) as { readonly getCode?: () => number };
    return typeof getCode === 'function' && getCode.call(error) === code;
  }
}

async function loadPackage(): Promise<Package> {
  try {
    return (await import('node-zookeeper-client')).default;
  } catch (cause) {
    throw new MillraceError(
      'ELECTION_FAILED',
      'high-availability.type is zookeeper, and the package node-zookeeper-client is missing.',
      { cause, advice: 'Install it beside millrace: npm install node-zookeeper-client@1.1.3' },
    );
  }
}

function unreachable({ quorum, connectionTimeoutMs }: SessionOptions): MillraceError {
  return new MillraceError(
    'ELECTION_FAILED',
    `There is no answer from ZooKeeper at ${quorum} within ${connectionTimeoutMs} ms.`,
    {
      advice:
        'Start ZooKeeper, correct --ha-quorum, or allow it more time with ' +
        'high-availability.zookeeper.client.connection-timeout.',
    },
  );
}
