/**
 * A block of lines at the bottom of a terminal that is redrawn in place, while anything else that is written goes
 * above it. Callers: the live view. Runs on: the main thread. Invariants: other writers' output is never torn, because
 * the block is erased first and comes back after whole lines only; the cursor is hidden while the block is drawn and
 * given back however the process ends.
 */
import { type HookedStream, hookWrites, type WriteHook } from './write-hook.js';

/** The terminal the block is drawn on. */
export interface ScreenStream extends HookedStream {
  readonly columns?: number;
  readonly rows?: number;
}

/** A line of the block: what is written, and how many cells of the terminal that takes. */
export interface ScreenLine {
  readonly text: string;
  readonly width: number;
}

/** What the screen needs of its process; tests pass another one. */
export interface ScreenProcess {
  on(event: 'exit' | 'SIGCONT' | 'SIGTSTP', listener: () => void): unknown;
  off(event: 'exit' | 'SIGCONT' | 'SIGTSTP', listener: () => void): unknown;
  /** Stops this process as Ctrl-Z does. */
  suspend(): void;
}

/** The screen of this process on standard error; what is written to a terminal on standard output goes above it too. */
export function processScreen({ stdout, stderr }: ScreenStreams): Screen {
  return new Screen(stderr, stdout.isTTY === true ? [stdout] : [], {
    on: (event, listener) => process.on(event, listener),
    off: (event, listener) => process.off(event, listener),
    suspend: () => process.kill(process.pid, 'SIGSTOP'),
  });
}

/** Where the process writes. */
interface ScreenStreams {
  readonly stderr: ScreenStream;
  readonly stdout: HookedStream & { readonly isTTY?: boolean };
}

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
/** Terminals that know it show a frame when it is complete; others ignore it. */
const BEGIN_FRAME = '\x1b[?2026h';
const END_FRAME = '\x1b[?2026l';
const CLEAR_LINE_REST = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** Size where a terminal does not tell, or says 0 as some pseudo-terminals do. */
const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

/** A block at the bottom of a terminal. */
export class Screen {
  readonly #stream: ScreenStream;
  readonly #process: ScreenProcess;
  readonly #hooks: readonly WriteHook[];
  readonly #writeRaw: (text: string) => void;
  /** Beginnings of lines that other writers have not ended yet, by hook. */
  readonly #unfinished: string[] = [];
  /** The lines of the block, and those of them that are on the terminal now. */
  #lines: readonly ScreenLine[] = [];
  #drawn: readonly ScreenLine[] = [];
  #isCursorHidden = false;
  #isRedrawPlanned = false;
  #isClosed = false;

  /** `others` are further streams that write to the same terminal. */
  constructor(stream: ScreenStream, others: readonly HookedStream[], process: ScreenProcess) {
    this.#stream = stream;
    this.#process = process;
    this.#hooks = [stream, ...others].map((hooked, index) =>
      hookWrites(hooked, (text, writeRaw) => this.#pass(index, text, writeRaw)),
    );
    this.#writeRaw = this.#hooks[0].writeRaw;
    process.on('exit', this.#onExit);
    process.on('SIGTSTP', this.#onSuspend);
    process.on('SIGCONT', this.#onContinue);
  }

  get columns(): number {
    return this.#stream.columns || COLUMNS_DEFAULT;
  }

  get rows(): number {
    return this.#stream.rows || ROWS_DEFAULT;
  }

  /** Shows these lines in place of those before. Lines wider than the terminal are the caller's mistake. */
  draw(lines: readonly ScreenLine[]): void {
    if (this.#isClosed) return;
    this.#lines = lines;
    this.#redraw();
  }

  /** Erases the block, leaves `lines` in its place for good, and gives the terminal back. */
  close(lines: readonly string[]): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const rest = this.#unfinished.filter((text) => text !== '').map((text) => `${text}\n`);
    const block = lines.map((line) => `${line}\n`);
    this.#writeRaw(`${this.#eraseText()}${rest.join('')}${block.join('')}${this.#showText()}`);
    for (const hook of this.#hooks) hook.release();
    this.#process.off('exit', this.#onExit);
    this.#process.off('SIGTSTP', this.#onSuspend);
    this.#process.off('SIGCONT', this.#onContinue);
  }

  /** Others write whole lines above the block; the begun line waits for its end. */
  #pass(writer: number, text: string, writeRaw: (text: string) => void): void {
    const whole = (this.#unfinished[writer] ?? '') + text;
    const end = whole.lastIndexOf('\n') + 1;
    this.#unfinished[writer] = whole.slice(end);
    if (end === 0) return;
    if (this.#drawn.length > 0) this.#writeRaw(this.#eraseText());
    writeRaw(whole.slice(0, end));
    this.#redrawSoon();
  }

  /** After everything that is written in one go, so that a table of a hundred lines costs one redraw. */
  #redrawSoon(): void {
    if (this.#isRedrawPlanned) return;
    this.#isRedrawPlanned = true;
    setImmediate(() => {
      this.#isRedrawPlanned = false;
      if (!this.#isClosed) this.#redraw();
    });
  }

  #redraw(): void {
    const hide = this.#isCursorHidden ? '' : HIDE_CURSOR;
    const lines = this.#lines.map((line) => `${line.text}${CLEAR_LINE_REST}\n`).join('');
    this.#writeRaw(`${BEGIN_FRAME}${hide}${this.#homeText()}${lines}${CLEAR_BELOW}${END_FRAME}`);
    this.#isCursorHidden = true;
    this.#drawn = this.#lines;
  }

  /** Moves the cursor to the first line of what is drawn. */
  #homeText(): string {
    // A terminal that became narrower has wrapped the lines it showed, so that they take more rows than before.
    const rows = this.#drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(line.width / this.columns)),
      0,
    );
    return rows === 0 ? '\r' : `\r\x1b[${rows}A`;
  }

  #eraseText(): string {
    const text = this.#drawn.length === 0 ? '' : `${this.#homeText()}${CLEAR_BELOW}`;
    this.#drawn = [];
    return text;
  }

  #showText(): string {
    const text = this.#isCursorHidden ? SHOW_CURSOR : '';
    this.#isCursorHidden = false;
    return text;
  }

  readonly #onExit = (): void => this.#writeRaw(this.#showText());

  readonly #onSuspend = (): void => {
    this.#writeRaw(`${this.#eraseText()}${this.#showText()}`);
    this.#process.suspend();
  };

  readonly #onContinue = (): void => this.#redraw();
}
