/**
 * The process of a job that an earlier server has started, and that runs on: this server comes to its door, is told
 * what there is to know, and goes on with it. Callers: the server, for each job that it finds. Runs on: its thread.
 */
import { hostname } from 'node:os';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '../base/errors.js';
import { type CheckpointStatistics, NO_STATISTICS } from '../checkpoint/checkpoint-statistics.js';
import type { PlanExplanation } from '../graph/explain.js';
import { signIn, type Hello, type Welcome } from './adoption-door.js';
import type { JobState } from './coordinator.js';
import type { RestoredAttempt } from './further-attempts.js';
import { FramedSocket } from './framed-socket.js';
import { JobProcess, type ProcessReport, type ProcessRequest } from './job-process.js';
import type { RunMetricsSnapshot } from './metrics-snapshot.js';
import type { LinkObserver, ProcessLink } from './process-link.js';
import type { Settings } from './settings.js';

/** How often it is looked whether a process is gone whose socket is closed. */
const GONE_MS = 20;

/** What the process of a job tells a server that takes it over. */
export interface Recap {
  readonly kind: 'recap';
  readonly plan: PlanExplanation;
  readonly state: JobState;
  /** Within this process. */
  readonly restarts: number;
  readonly restored: RestoredAttempt | null;
  /** Null before it has begun. */
  readonly metrics: RunMetricsSnapshot | null;
  /** Null before it has begun. */
  readonly checkpoints: CheckpointStatistics | null;
  /** Of the processes before it. */
  readonly checkpointsBefore: CheckpointStatistics;
  /** To what the job was rescaled last; null for a job that is as it was started. */
  readonly rescaled: { readonly parallelism: number } | null;
}

/** Which process is wanted, and by whom. */
export interface AdoptionRequest {
  /** Of the job. Absolute. */
  readonly directory: string;
  readonly jobName: string;
  readonly settings: Settings;
  /** Number of the term of the server. */
  readonly epoch: number;
  /** What the server speaks. */
  readonly protocol: string;
  /** How long the process may take to answer. */
  readonly timeoutMs: number;
  /** Tells whether a process of this machine, and no later one of its number, still runs. */
  runs(pid: number): () => boolean;
}

/** A process that was found. What it reports waits until `admit`. */
export class AdoptedProcess extends JobProcess {
  readonly recap: Recap;
  readonly #link: SocketLink;

  constructor(request: AdoptionRequest, link: SocketLink, recap: Recap) {
    super(request, link);
    this.#link = link;
    this.recap = recap;
    this.goOn({ ...recap, checkpoints: recap.checkpoints ?? NO_STATISTICS });
  }

  override admit(): void {
    this.#link.listen();
  }
}

/** Null where no process answers, or none that speaks as this server does. Rejects with LEADERSHIP_LOST. */
export async function adoptProcess(request: AdoptionRequest): Promise<AdoptedProcess | null> {
  const { directory, epoch, protocol, timeoutMs } = request;
  const sign = signIn(directory);
  if (sign === null || sign.host !== hostname()) return null;
  const connection = connect(sign.address);
  const socket = new FramedSocket(connection);
  const timer = setTimeout(() => socket.close(), timeoutMs);
  try {
    const answer = socket.hello();
    const { secret, pid } = sign;
    socket.greet({ secret, epoch, protocol } satisfies Hello);
    const welcome = (await answer) as Welcome | null;
    if (welcome === null) return null;
    if (welcome.refused !== null) {
      socket.close();
      throw new MillraceError('LEADERSHIP_LOST', welcome.refused);
    }
    const link = new SocketLink(socket, pid, request.runs(pid));
    const recap = await link.recap();
    return recap === null ? null : new AdoptedProcess(request, link, recap);
  } finally {
    clearTimeout(timer);
  }
}

/** The way to such a process. */
class SocketLink implements ProcessLink {
  readonly pid: number;
  readonly #socket: FramedSocket;
  readonly #isRunning: () => boolean;
  readonly #waiting: ProcessReport[] = [];
  #observer: LinkObserver | null = null;
  #isListening = false;
  #isLeft = false;
  #onListening: () => void = () => {};
  readonly #listening: Promise<void>;
  #onRecap: (recap: Recap | null) => void = () => {};

  constructor(socket: FramedSocket, pid: number, isRunning: () => boolean) {
    this.#socket = socket;
    this.pid = pid;
    this.#isRunning = isRunning;
    this.#listening = new Promise((resolve) => {
      this.#onListening = resolve;
    });
  }

  /** The first thing that it says; null when it ends instead. */
  recap(): Promise<Recap | null> {
    return new Promise((resolve) => {
      this.#onRecap = resolve;
      void this.#socket.closed.then(() => resolve(null));
      this.#socket.listen((value) => this.#onReport(value as Recap | ProcessReport));
    });
  }

  open(observer: LinkObserver): void {
    this.#observer = observer;
    void this.#socket.closed.then(() => this.#untilGone());
  }

  /** Passes on what was reported meanwhile, and what comes. */
  listen(): void {
    this.#isListening = true;
    for (const report of this.#waiting.splice(0)) this.#observer?.report(report);
    this.#onListening();
  }

  send(request: ProcessRequest): void {
    void this.#socket.send(request);
  }

  /** While the socket is open the id is that of the process and of no other. */
  kill(): void {
    this.listen();
    if (!this.#socket.isOpen) return;
    try {
      process.kill(this.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  leave(): void {
    this.#isLeft = true;
    this.#socket.close();
  }

  #onReport(report: Recap | ProcessReport): void {
    if (report.kind === 'recap') this.#onRecap(report);
    else if (this.#isListening) this.#observer?.report(report);
    else this.#waiting.push(report);
  }

  /** One that goes on with another server is never gone for this one, which then hears that it leads no longer. */
  async #untilGone(): Promise<void> {
    while (!this.#isLeft && this.#isRunning()) await sleep(GONE_MS);
    await this.#listening;
    if (!this.#isLeft) this.#observer?.ended('without a word');
  }
}
