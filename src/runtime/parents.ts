/**
 * Whom the process of a job reports to: the parent that has forked it, then each server that has found it, one at a
 * time. Callers: `isolated-process.ts`. Runs on: the main thread of the child. Invariants: only the newest parent is
 * obeyed; what must be heard waits, while there is no parent, for the next one.
 */
import type { AdoptionDoor } from './adoption-door.js';
import type { Recap } from './adopted-process.js';
import type { FramedSocket } from './framed-socket.js';
import type { ProcessReport, ProcessRequest } from './job-process.js';

/** One that reports go to. */
export interface Parent {
  /** Whether it was taken before the parent was gone. */
  send(report: ProcessReport | Recap): Promise<boolean>;
  close(): void;
}

/** What is to be done about parents. */
export interface ParentsObserver {
  /** Of the newest parent only. */
  request(request: ProcessRequest): void;
  /** There is none any more. */
  orphaned(): void;
  /** There is another one than before. */
  adopted(parent: Parent): void;
}

/** The parents of this process. */
export class Parents {
  readonly #observer: ParentsObserver;
  /** Null while there is none. */
  #parent: Parent | null;
  /** Whether there may be another one. */
  #door: AdoptionDoor | null = null;
  #waiting: ((parent: Parent | null) => void)[] = [];

  constructor(observer: ParentsObserver) {
    this.#observer = observer;
    const channel = new ParentChannel();
    this.#parent = channel;
    process.on('message', (request: ProcessRequest) => {
      if (this.#parent === channel) observer.request(request);
    });
    process.on('disconnect', () => {
      channel.end();
      this.#lost(channel);
    });
  }

  /** The newest; null while there is none. */
  get current(): Parent | null {
    return this.#parent;
  }

  get mayHaveOthers(): boolean {
    return this.#door !== null;
  }

  /** From now on this process may have other parents. */
  awaitOthers(door: AdoptionDoor): void {
    this.#door = door;
  }

  /** There will be none any more. */
  close(): void {
    this.#door?.close();
    this.#door = null;
  }

  /** Reports what must be heard, to the next parent where there is none; nothing when there will be none. */
  async report(report: ProcessReport): Promise<void> {
    for (;;) {
      const parent = this.#parent ?? (await this.#next());
      if (parent === null || (await parent.send(report))) return;
      // It was gone before it had heard it, which is known in a moment.
      if (this.#parent === parent) this.#lost(parent);
    }
  }

  /** Reports what is of no use later. */
  tell(report: ProcessReport, parent: Parent | null = this.#parent): void {
    if (parent !== null && parent === this.#parent) void parent.send(report);
  }

  /** Goes on with a server that has come. */
  adopt(socket: FramedSocket): void {
    const parent: Parent = {
      send: (report) => socket.send(report),
      close: () => socket.close(),
    };
    this.#parent?.close();
    this.#parent = parent;
    this.#observer.adopted(parent);
    socket.listen((request) => {
      if (this.#parent === parent) this.#observer.request(request as ProcessRequest);
    });
    void socket.closed.then(() => this.#lost(parent));
    for (const resolve of this.#waiting.splice(0)) resolve(parent);
  }

  #lost(parent: Parent): void {
    if (this.#parent !== parent) return;
    this.#parent = null;
    this.#observer.orphaned();
  }

  #next(): Promise<Parent | null> {
    if (this.#door === null) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

/** The parent that has forked this process. */
class ParentChannel implements Parent {
  /** Node.js does not call back for what was on its way when the channel ends. */
  readonly #sending = new Set<(isSent: boolean) => void>();

  send(report: ProcessReport | Recap): Promise<boolean> {
    if (process.send === undefined || !process.connected) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#sending.add(resolve);
      process.send?.(report, (error: Error | null) => {
        this.#sending.delete(resolve);
        resolve(error === null);
      });
    });
  }

  close(): void {
    if (process.connected) process.disconnect();
    this.end();
  }

  end(): void {
    for (const sent of this.#sending) sent(false);
    this.#sending.clear();
  }
}
