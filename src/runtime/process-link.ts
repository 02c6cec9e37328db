/**
 * The way between the process of a job and its parent, as the parent sees it: the channel and the streams of a child
 * that it has forked. `adopted-process.ts` has another one. Callers: whoever makes a `JobProcess`. Runs on: the
 * caller's thread.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { entryUrl } from './entry-url.js';
import type { ProcessReport, ProcessRequest, ProcessRun } from './job-process.js';

/** What a parent hears of a child. */
export interface LinkObserver {
  report(report: ProcessReport): void;
  /** The child is gone, after everything it has reported; `how` as in "ended with code 1". */
  ended(how: string): void;
  /** It could not be started. */
  failed(error: Error): void;
}

/** The way to a child. */
export interface ProcessLink {
  /** Null when it could not be started. */
  readonly pid: number | null;
  /** Called once, before anything is heard. */
  open(observer: LinkObserver): void;
  send(request: ProcessRequest): void;
  /** Ends the child without asking it. */
  kill(): void;
  /** Lets go of the child, which lives on, or finds by itself that nobody is there. */
  leave(): void;
}

/** Where what a child prints goes: to streams, or by itself, beyond the life of its parent, to the end of a file. */
export type ProcessOutput =
  | { readonly stdout: NodeJS.WritableStream; readonly stderr: NodeJS.WritableStream }
  | { readonly file: string };

/** A child that was forked to run what `request` says. */
export class ForkedLink implements ProcessLink {
  readonly #child: ChildProcess;

  constructor(request: ProcessRun, output: ProcessOutput) {
    // The id is there for people who look for the process of a job, and for a server that looks for one left behind.
    const words = request.identity === null ? [] : [request.identity.jobId];
    this.#child = forked(words, output);
    this.send(request);
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  open(observer: LinkObserver): void {
    this.#child.on('message', (report: ProcessReport) => observer.report(report));
    this.#child.once('error', (error) => observer.failed(error));
    // Unlike 'exit', it comes after everything that the child has printed and reported.
    this.#child.once('close', (code, signal) => {
      observer.ended(signal === null ? `with code ${code}` : `by ${signal}`);
    });
  }

  send(request: ProcessRequest): void {
    if (this.#child.connected) this.#child.send(request);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  leave(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }
}

function forked(words: readonly string[], output: ProcessOutput): ChildProcess {
  const entry = fileURLToPath(entryUrl('process'));
  const serialization = 'advanced';
  if ('file' in output) {
    const file = openSync(output.file, 'a');
    try {
      return fork(entry, words, { serialization, stdio: ['ignore', file, file, 'ipc'] });
    } finally {
      closeSync(file);
    }
  }
  const child = fork(entry, words, { serialization, silent: true });
  // What the child prints goes through this process, as that of worker threads does, so that the caller stays
  // the only writer of its terminal.
  child.stdout?.pipe(output.stdout, { end: false });
  child.stderr?.pipe(output.stderr, { end: false });
  return child;
}
