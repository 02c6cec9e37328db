/**
 * The door by which the server that comes next finds the process of a job: a local socket in the directory of the job,
 * and beside it a file that only its user may read, with the address and a secret. Whoever comes says the secret and
 * the number of its term; one whose term is not above that of the server before is sent away, so that a server which
 * was replaced commands nothing. Callers: `isolated-process.ts` opens it, `adopted-process.ts` comes, the server
 * removes what is left. Runs on: the main thread of either.
 */
import { timingSafeEqual } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freshId, freshSecret } from '../base/random.js';
import { FramedSocket } from './framed-socket.js';

/** What is in the file. */
export interface DoorSign {
  readonly address: string;
  readonly secret: string;
  readonly pid: number;
  /** Where the process is, as containers that share a directory see each other's sockets. */
  readonly host: string;
}

/** What whoever comes says first. */
export interface Hello {
  readonly secret: string;
  /** Number of the term of the server. */
  readonly epoch: number;
  /** What it speaks: the version of the package, and that of V8, which is the form of values. */
  readonly protocol: string;
}

/** What it is told. */
export type Welcome = { readonly refused: null } | { readonly refused: string };

const SIGN = 'process.json';
const SOCKET = 'process.sock';
/** The systems keep no more of a path, with a zero behind it. */
const PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103;
/** How long somebody may take to say who it is. */
const HELLO_MS = 5000;
const VISITORS_MAX = 8;

/** What the door of a job says; null where there is none that can be read. */
export function signIn(directory: string): DoorSign | null {
  try {
    const sign: unknown = JSON.parse(readFileSync(join(directory, SIGN), 'utf8'));
    return isSign(sign) ? sign : null;
  } catch {
    return null;
  }
}

/** Numbers up to 1 are no process of a job: to signal them is to signal many. */
function isSign(value: unknown): value is DoorSign {
  const { address, secret, pid, host } = Object(value) as Partial<DoorSign>;
  const isOfTexts = [address, secret, host].every((part) => typeof part === 'string');
  return isOfTexts && typeof pid === 'number' && Number.isInteger(pid) && pid > 1;
}

/** Removes what a process has left behind that was killed. */
export function removeDoor(directory: string): void {
  const sign = signIn(directory);
  if (sign === null) return;
  rmSync(join(directory, SIGN), { force: true });
  if (process.platform === 'win32') return;
  const isAside = dirname(sign.address) !== directory;
  if (isAside) rmSync(dirname(sign.address), { recursive: true, force: true });
  else rmSync(sign.address, { force: true });
}

/** Who may come. */
export interface DoorOptions {
  /** Of the job. Absolute. */
  readonly directory: string;
  /** Of the server that has started the process. */
  readonly epoch: number;
  /** What that server speaks, as whoever comes has to. */
  readonly protocol: string;
  /** A server of a later term has come. */
  onServer(socket: FramedSocket): void;
  /** One that speaks otherwise has come, which is to start the job anew. */
  onStranger(): void;
}

/** The door. */
export class AdoptionDoor {
  readonly #server: Server;
  readonly #secret = freshSecret();
  readonly #options: DoorOptions;
  #epoch: number;

  private constructor(options: DoorOptions) {
    this.#options = options;
    this.#epoch = options.epoch;
    this.#server = createServer((socket) => void this.#meet(new FramedSocket(socket)));
    this.#server.maxConnections = VISITORS_MAX;
  }

  /** Rejects where the system has no such socket. */
  static async open(options: DoorOptions): Promise<AdoptionDoor> {
    const { directory } = options;
    const door = new AdoptionDoor(options);
    removeDoor(directory);
    const address = addressIn(directory);
    await new Promise<void>((resolve, reject) => {
      door.#server.once('error', reject);
      door.#server.listen(address, resolve);
    });
    const sign: DoorSign = { address, secret: door.#secret, pid: process.pid, host: hostname() };
    const aside = join(directory, `${SIGN}.${process.pid}`);
    writeFileSync(aside, JSON.stringify(sign), { mode: 0o600 });
    renameSync(aside, join(directory, SIGN));
    return door;
  }

  close(): void {
    this.#server.close();
    removeDoor(this.#options.directory);
  }

  async #meet(socket: FramedSocket): Promise<void> {
    const timer = setTimeout(() => socket.close(), HELLO_MS);
    const hello = await socket.hello();
    clearTimeout(timer);
    if (!isHello(hello) || !this.#isSecret(hello.secret)) return socket.close();
    const { epoch } = hello;
    if (epoch <= this.#epoch) {
      const refused = `The term ${epoch} is over: a server of term ${this.#epoch} has the process.`;
      return socket.greet({ refused } satisfies Welcome);
    }
    this.#epoch = epoch;
    if (hello.protocol !== this.#options.protocol) return this.#options.onStranger();
    socket.greet({ refused: null } satisfies Welcome);
    this.#options.onServer(socket);
  }

  #isSecret(given: string): boolean {
    const [one, other] = [Buffer.from(given), Buffer.from(this.#secret)];
    return one.length === other.length && timingSafeEqual(one, other);
  }
}

function isHello(value: unknown): value is Hello {
  const { secret, epoch, protocol: spoken } = Object(value) as Partial<Hello>;
  return typeof secret === 'string' && Number.isInteger(epoch) && typeof spoken === 'string';
}

function addressIn(directory: string): string {
  if (process.platform === 'win32') {
    return `\\\\.\\pipe\\millrace-${freshId()}`;
  }
  const address = join(directory, SOCKET);
  if (Buffer.byteLength(address) <= PATH_BYTES_MAX) return address;
  return join(mkdtempSync(join(tmpdir(), 'millrace-')), SOCKET);
}
