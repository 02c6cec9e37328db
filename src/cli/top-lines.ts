/**
 * What `millrace top` shows of a moment: the table of jobs, and below it the chains of the one that is chosen. Callers:
 * `top-command.ts`. Runs on: the main thread; pure. Invariant: no line is wider than the width asked for, and no name
 * of a job can move the cursor.
 */
import { formatBytes, formatCount, formatDuration } from '../base/units.js';
import { fitText, textWidth, visibleText } from '../connector/print/text-width.js';
import type { JobFlow } from '../rest/job-schemas.js';
import type { RunViewModel } from '../runtime/view-model.js';
import type { ScreenLine } from './screen.js';
import { PLAIN_STYLE, type Style } from './style.js';
import { type TextColumn, textTable } from './text-table.js';
import type { TopJob, TopSnapshot } from './top-snapshot.js';
import { chainTable } from './view-table.js';

/** What the screen shows, and how. */
export interface TopFrame {
  readonly snapshot: TopSnapshot;
  /** The id of the chosen job; null chooses the first one. */
  readonly chosen: string | null;
  /** Whether the chains of the chosen job are shown. */
  readonly isOpen: boolean;
  /** What goes at the end, such as that the server does not answer; empty for nothing. */
  readonly said: string;
  readonly columns: number;
  readonly rows: number;
  readonly style: Style;
}

const COLUMNS: readonly TextColumn[] = [
  { head: '' },
  { head: 'JOB' },
  { head: 'STATE' },
  { head: 'ROWS/S', isNumber: true },
  { head: 'BUSY', isNumber: true },
  { head: 'BLOCKED', isNumber: true },
  { head: 'CHECKPOINT', isNumber: true },
  { head: 'MEMORY', isNumber: true },
  { head: 'RESTARTS', isNumber: true },
];
/** Longer names would leave no room for numbers. */
const NAME_WIDTH_MAX = 32;
/** Lines besides those of jobs: one above the block, the server, the head of the table, keys, what is said. */
const OTHER_LINES = 6;
const KEYS = 'j k or arrows choose · Enter chains · q quit';
const KEYS_OPEN = 'j k or arrows choose · Enter jobs only · q quit';

/** The lines of the screen. */
export function topLines(frame: TopFrame): readonly ScreenLine[] {
  const { snapshot, isOpen, said, rows, style } = frame;
  const width = Math.max(24, frame.columns - 1);
  const line = (text: string, paint: (text: string) => string = (same) => same): ScreenLine => {
    const fitting = fitText(text, width);
    return { text: paint(fitting), width: textWidth(fitting) };
  };
  const at = chosenAt(snapshot, frame.chosen);
  const job = snapshot.jobs[at] ?? null;
  const room = Math.max(2, rows - OTHER_LINES);
  const jobsMax = Math.max(1, isOpen ? Math.floor(room / 2) : room);
  const from = Math.max(0, Math.min(at - Math.floor(jobsMax / 2), snapshot.jobs.length - jobsMax));
  const shown = snapshot.jobs.slice(from, from + jobsMax);
  const [head = '', ...table] = textTable(
    COLUMNS,
    shown.map((one) => [one === job ? '>' : ' ', ...jobCells(one)]),
    PLAIN_STYLE,
  );
  const lines = [
    line('', style.dim),
    line(serverText(snapshot), style.bold),
    line(head, style.dim),
  ];
  for (const [index, text] of table.entries()) {
    lines.push(line(text, shown[index] === job ? style.cyan : undefined));
  }
  if (snapshot.jobs.length === 0) lines.push(line('No jobs run or wait.'));
  const flow = job === null ? undefined : snapshot.flows.get(job.jobid);
  if (isOpen && flow !== undefined) {
    const linesMax = Math.max(2, room - shown.length - 2);
    lines.push(line(''), ...chainTable(flowModel(flow), { width, linesMax, style, marked: null }));
  }
  if (job !== null && job.bottleneck !== null) {
    lines.push(line(`${visibleText(job.name)}: ${visibleText(job.bottleneck)}`, style.dim));
  }
  lines.push(
    line(said === '' ? (isOpen ? KEYS_OPEN : KEYS) : said, said === '' ? style.dim : style.yellow),
  );
  return lines;
}

/** The id of the job that stands so many lines below the chosen one. */
export function chosenAfter(
  snapshot: TopSnapshot,
  chosen: string | null,
  by: number,
): string | null {
  const last = snapshot.jobs.length - 1;
  const at = Math.max(0, Math.min(last, chosenAt(snapshot, chosen) + by));
  return snapshot.jobs[at]?.jobid ?? null;
}

/** A line for each job, where there is no terminal. */
export function plainTopLines(snapshot: TopSnapshot): readonly string[] {
  const time = new Date(snapshot.now).toISOString().slice(11, 19);
  const jobs = snapshot.jobs.map((job) => {
    const [name, state, rate, busy, blocked, checkpoint, memory, restarts] = jobCells(job);
    return (
      `${time} ${job.jobid.slice(0, 8)} ${name} ${state}: ${rate} rows/s, busy ${busy}, ` +
      `blocked ${blocked}, checkpoint ${checkpoint}, memory ${memory}, restarts ${restarts}`
    );
  });
  return [`${time} ${serverText(snapshot)}`, ...jobs];
}

function chosenAt({ jobs }: TopSnapshot, chosen: string | null): number {
  return Math.max(
    0,
    jobs.findIndex(({ jobid }) => jobid === chosen),
  );
}

function serverText({ url, jobs, slotsTotal, slotsAvailable }: TopSnapshot): string {
  const counted = `${jobs.length} job${jobs.length === 1 ? '' : 's'}`;
  return `${url}: ${counted}, ${slotsTotal - slotsAvailable} of ${slotsTotal} slots taken`;
}

function jobCells(job: TopJob): readonly string[] {
  const { checkpointAge, residentBytes } = job;
  return [
    fitText(visibleText(job.name), NAME_WIDTH_MAX),
    job.state,
    formatCount(job.recordsPerSecond),
    `${Math.round(job.busy * 100)} %`,
    `${Math.round(job.blocked * 100)} %`,
    checkpointAge === null ? 'none' : `${ageText(checkpointAge)} ago`,
    residentBytes === null ? '-' : formatBytes(residentBytes).trimEnd(),
    String(job.restarts),
  ];
}

/** Fractions of an age change with every look and tell nothing. */
function ageText(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : formatDuration(ms);
}

/** A flow as the table of chains takes it. */
function flowModel({ vertices, edges }: JobFlow): RunViewModel {
  const at = new Map(vertices.map(({ id }, index) => [id, index]));
  return {
    chains: vertices.map((vertex, id) => ({
      id,
      name: visibleText(vertex.name),
      parallelism: vertex.parallelism,
      isSource: vertex.isSource,
      rows: vertex.records,
      rowsPerSecond: vertex.recordsPerSecond,
      bytes: 0,
      bytesPerSecond: vertex.bytesPerSecond,
      shares: { busy: vertex.busy, blocked: vertex.blocked, idle: vertex.idle },
      busiest: null,
    })),
    edges: edges.map(({ from, to, strategy, recordsPerSecond, bytesPerSecond, fill }) => ({
      from: at.get(from) ?? 0,
      to: at.get(to) ?? 0,
      partitioner: strategy,
      rowsPerSecond: recordsPerSecond,
      bytesPerSecond,
      fill,
    })),
    // Of no use to the table.
    progress: {
      elapsedMs: 0,
      rows: 0,
      bytes: 0,
      rowsPerSecond: 0,
      share: null,
      leftMs: null,
      badRecords: 0,
    },
  };
}
