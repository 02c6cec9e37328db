/**
 * Values over a local socket, each behind its length, in the form in which Node.js copies values between threads.
 * Callers: `adoption-door.ts` in the process of a job, `adopted-process.ts` in a server. Runs on: either one's main
 * thread. Invariant: the first value of a peer that is not known yet is JSON and short, since reading the other form
 * trusts whoever wrote it.
 */
import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';

const HEAD_BYTES = 4;
/** Of the first value. */
const HELLO_BYTES_MAX = 4096;

/** One end. */
export class FramedSocket {
  readonly #socket: Duplex;
  #buffered: Buffer = Buffer.alloc(0);
  #isGreeted = false;
  #isOpen = true;
  #onHello: (hello: unknown) => void = () => {};
  #onValue: ((value: unknown) => void) | null = null;
  /** Told that what they send does not arrive any more. */
  readonly #sending = new Set<(isSent: boolean) => void>();
  /** Settles when nothing more comes. */
  readonly closed: Promise<void>;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    // What ends it is told by 'close'.
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isOpen = false;
        for (const sent of this.#sending) sent(false);
        this.#sending.clear();
        resolve();
      });
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The first value of the other side, as JSON; null when there is none. */
  hello(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#onHello = resolve;
      void this.closed.then(() => resolve(null));
      this.#take();
    });
  }

  /** Passes on everything behind the first value; until then it waits. */
  listen(onValue: (value: unknown) => void): void {
    this.#onValue = onValue;
    this.#socket.resume();
    this.#take();
  }

  greet(hello: object): void {
    this.#write(Buffer.from(JSON.stringify(hello)), () => {});
  }

  /** Whether the system has taken the value before the other side was gone. */
  send(value: unknown): Promise<boolean> {
    if (!this.#isOpen) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#sending.add(resolve);
      this.#write(serialize(value), (error) => {
        this.#sending.delete(resolve);
        resolve(error === null || error === undefined);
      });
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #write(bytes: Buffer, done: (error?: Error | null) => void): void {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(bytes.byteLength);
    this.#socket.write(head);
    this.#socket.write(bytes, done);
  }

  #onData(chunk: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    this.#take();
  }

  #take(): void {
    for (;;) {
      if (this.#isGreeted && this.#onValue === null) {
        // Whoever sends more waits until somebody listens.
        this.#socket.pause();
        return;
      }
      const frame = this.#frame();
      if (frame === null) return;
      if (this.#isGreeted) this.#onValue?.(deserialize(frame));
      else this.#greeted(frame);
    }
  }

  #frame(): Buffer | null {
    if (this.#buffered.length < HEAD_BYTES) return null;
    const end = HEAD_BYTES + this.#buffered.readUInt32LE(0);
    if (!this.#isGreeted && end > HEAD_BYTES + HELLO_BYTES_MAX) {
      this.close();
      return null;
    }
    if (this.#buffered.length < end) return null;
    const frame = this.#buffered.subarray(HEAD_BYTES, end);
    this.#buffered = this.#buffered.subarray(end);
    return frame;
  }

  #greeted(frame: Buffer): void {
    this.#isGreeted = true;
    try {
      this.#onHello(JSON.parse(frame.toString()));
    } catch {
      this.close();
    }
  }
}
