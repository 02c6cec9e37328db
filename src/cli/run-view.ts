/**
 * Shows a run while it runs: on a terminal a block that is redrawn in place, elsewhere a plain line every few
 * seconds, with `--json` a line of JSON. Callers: the run and dev commands. Runs on: the main thread. Invariant:
 * everything about the run goes to standard error (as JSON to standard output), so that a pipe gets records only.
 */
import { fitText, textWidth } from '../connector/print/text-width.js';
import type { RunMetricsSnapshot } from '../runtime/metrics-snapshot.js';
import type { JobExecution } from '../runtime/execution.js';
import type { TimeReport } from '../runtime/time-report.js';
import { bottleneck } from '../runtime/bottleneck.js';
import { progressLine, progressText } from './progress-text.js';
import type { Screen, ScreenLine } from './screen.js';
import type { Style } from './style.js';
import { type RunViewModel, viewModel } from '../runtime/view-model.js';
import { chainTable } from './view-table.js';

/** Shows a run until it is closed. */
export interface RunView {
  /** Says something about the run that is no result, such as a warning. */
  say(text: string): void;
  /** Ends the view; `lines` is what stays of it. Does nothing when called again. */
  close(lines: readonly string[]): void;
}

/** What a view shows: one job, whatever its process. */
export interface ViewedRun {
  /** Threads that its chains share. */
  slots(): number;
  metrics(): RunMetricsSnapshot;
  whyNoOutput(): readonly Pick<TimeReport, 'sentence'>[];
}

/** A running job as a view shows it; without worker slots the caller's thread is the only one. */
export function viewedExecution(execution: JobExecution): ViewedRun {
  return {
    slots: () => Math.max(1, execution.plan.slots),
    metrics: () => execution.metrics(),
    whyNoOutput: () => execution.whyNoOutput(),
  };
}

/** A stream for text. */
export interface TextStream {
  write(text: string): unknown;
}

const REDRAW_MS = 200;
/** Rates of the live view are averages over so long, so that they can be read. */
const WINDOW_MS = 2000;
const PLAIN_LINE_MS = 5000;
/** The last column stays empty: a terminal that has filled it may already have wrapped. */
const MARGIN = 1;
/** Narrower terminals get lines that they wrap. */
const COLUMNS_MIN = 26;
/** Lines besides the table: empty ones around it, progress, bottleneck, event time, a note. */
const OTHER_LINES = 6;

/** What the live block shows at a moment. */
export interface LiveFrame {
  readonly model: RunViewModel;
  readonly slots: number;
  /** What holds event time back, null when there is nothing to say. */
  readonly time: string | null;
  readonly columns: number;
  readonly rows: number;
  readonly style: Style;
}

/** The lines of the live block. */
export function liveLines({
  model,
  slots,
  time,
  columns,
  rows,
  style,
}: LiveFrame): readonly ScreenLine[] {
  const width = Math.max(COLUMNS_MIN, columns) - MARGIN;
  const slow = bottleneck(model, slots);
  const table = chainTable(model, {
    width,
    linesMax: Math.max(2, rows - OTHER_LINES - MARGIN),
    style,
    marked: slow?.chain ?? null,
  });
  const lines: ScreenLine[] = [
    ...table,
    { text: '', width: 0 },
    progressLine(model.progress, width, style),
  ];
  for (const sentence of [slow?.sentence ?? null, time]) {
    if (sentence === null) continue;
    const text = fitText(sentence, width);
    lines.push({ text: style.dim(text), width: textWidth(text) });
  }
  return lines;
}

/** The block on a terminal. */
export class LiveView implements RunView {
  readonly #run: ViewedRun;
  readonly #screen: Screen;
  readonly #style: Style;
  readonly #timer: NodeJS.Timeout;
  /** Snapshots of the last moments, the oldest first. */
  #window: RunMetricsSnapshot[] = [];
  #said = '';

  constructor(run: ViewedRun, screen: Screen, style: Style) {
    this.#run = run;
    this.#screen = screen;
    this.#style = style;
    this.#timer = setInterval(() => this.#tick(), REDRAW_MS);
  }

  say(text: string): void {
    this.#said = text;
    this.#tick();
  }

  close(lines: readonly string[]): void {
    clearInterval(this.#timer);
    this.#screen.close(lines);
  }

  #tick(): void {
    const now = shortNames(this.#run.metrics());
    // Counters that begin again have nothing to compare with.
    if (now.elapsedMs < (this.#window.at(-1)?.elapsedMs ?? 0)) this.#window = [];
    this.#window.push(now);
    while (now.elapsedMs - (this.#window[1]?.elapsedMs ?? now.elapsedMs) >= WINDOW_MS) {
      this.#window.shift();
    }
    const [oldest = now] = this.#window;
    const { columns, rows } = this.#screen;
    const slots = this.#run.slots();
    const style = this.#style;
    // The chain furthest behind in the plan is the one whose results are waited for.
    const time = this.#run.whyNoOutput().at(-1)?.sentence ?? null;
    const model = viewModel(now, oldest === now ? null : oldest);
    const lines = liveLines({ model, slots, time, columns, rows, style });
    const said = fitText(this.#said, columns - MARGIN);
    const note = said === '' ? [] : [{ text: style.yellow(said), width: textWidth(said) }];
    // An empty line keeps the block apart from results above it.
    this.#screen.draw([{ text: '', width: 0 }, ...lines, ...note]);
  }
}

/** Lines for logs and pipes. */
export class PlainView implements RunView {
  readonly #run: ViewedRun;
  readonly #stream: TextStream;
  readonly #timer: NodeJS.Timeout;
  #before: RunMetricsSnapshot | null = null;
  #isClosed = false;

  constructor(run: ViewedRun, stream: TextStream) {
    this.#run = run;
    this.#stream = stream;
    this.#timer = setInterval(() => this.#tick(), PLAIN_LINE_MS);
  }

  say(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  close(lines: readonly string[]): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const line of lines) this.#stream.write(`${line}\n`);
  }

  #tick(): void {
    const now = shortNames(this.#run.metrics());
    const before = this.#before;
    const model = viewModel(
      now,
      before !== null && before.elapsedMs > now.elapsedMs ? null : before,
    );
    const slow = bottleneck(model, this.#run.slots());
    const { share } = model.progress;
    const percent = share === null ? '' : `${Math.floor(share * 100)} %, `;
    const pace = slow === null ? '' : `; ${slow.sentence}`;
    this.#stream.write(`${percent}${progressText(model.progress)}${pace}\n`);
    this.#before = now;
  }
}

/** Names hold paths; below the current directory they are shorter without it. */
export function shortNames(snapshot: RunMetricsSnapshot): RunMetricsSnapshot {
  const prefix = `${process.cwd()}/`;
  const vertices = snapshot.vertices.map((vertex) => ({
    ...vertex,
    name: vertex.name.replaceAll(prefix, ''),
  }));
  return { ...snapshot, vertices };
}
