/**
 * A log of JSON lines in rotating files, numbered over all of them, so that whoever follows it can ask for what is new.
 * Secrets are hidden by their names. Callers: `job-logs.ts`. Runs on: the server's thread; blocks for its writes.
 */
import { pino } from 'pino';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { withoutSecrets } from '../base/secrets.js';
import type { JobLogLine } from '../rest/job-log-line.js';
import { endOf, type KeptFiles, RotatingFile } from './rotating-file.js';

/** In which the last line is looked for; a line is shorter. */
const TAIL_BYTES = 64 * 1024;

/** The log. */
export class JsonLog {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #file: RotatingFile;
  readonly #logger: ReturnType<typeof pino>;
  #seq: number;
  #isLineOpen: boolean;

  /** `base` is in every line. */
  constructor(disk: Disk, path: string, kept: KeptFiles, base: Readonly<Record<string, string>>) {
    this.#disk = disk;
    this.#path = path;
    this.#file = new RotatingFile(disk, path, kept);
    const tail = endOf(disk, path, TAIL_BYTES);
    this.#seq = lastSeq(tail) + 1;
    // A writer that was killed may have left half a line.
    this.#isLineOpen = tail !== '' && !tail.endsWith('\n');
    const options = {
      level: 'trace',
      base,
      // The time is that of what happened.
      timestamp: false,
      formatters: { level: (level: string) => ({ level }) },
    };
    this.#logger = pino(options, { write: (text: string) => this.#write(text) });
  }

  /** Adds a line. */
  add({ level, msg, ...members }: JobLogLine): void {
    if (level === 'silent') return;
    this.#logger[level](withoutSecrets({ seq: this.#seq++, ...members }) as object, msg);
  }

  /** The end of the log, whole lines; those after `after` when it is given. */
  text(bytesMax: number, after: number | null): string {
    const text = endOf(this.#disk, this.#path, bytesMax);
    const isCut = Buffer.byteLength(text) >= bytesMax;
    const lines = text.split('\n').slice(isCut ? 1 : 0, -1);
    const wanted = after === null ? lines : lines.filter((line) => seqOf(line) > after);
    return wanted.map((line) => `${line}\n`).join('');
  }

  close(): void {
    this.#file.close();
  }

  #write(text: string): void {
    try {
      this.#file.write(Buffer.from(this.#isLineOpen ? `\n${text}` : text));
      this.#isLineOpen = false;
    } catch (error) {
      // A log that cannot be written, as on a full disk, stops nothing.
      if (!MillraceError.is(error)) throw error;
    }
  }
}

function lastSeq(text: string): number {
  return Math.max(-1, ...text.split('\n').map(seqOf));
}

/** Found without parsing the line; -1 for half a line. */
function seqOf(line: string): number {
  return Number(/"seq":(\d+)/.exec(line)?.[1] ?? -1);
}
