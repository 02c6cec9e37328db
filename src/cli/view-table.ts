/**
 * The table of chains: one line each, and a line for every edge that is more than half full. Callers: the live view,
 * the verbose report. Runs on: the main thread; pure. Invariant: no line is wider than the width asked for.
 */
import { formatBytes, formatCount } from '../base/units.js';
import { fitText, textWidth } from '../connector/print/text-width.js';
import type { ScreenLine } from './screen.js';
import type { Paint, Style } from './style.js';
import type { ChainView, EdgeView, RunViewModel, TimeShares } from '../runtime/view-model.js';

/** How the table is drawn. */
export interface TableLook {
  /** Cells a line may take. */
  readonly width: number;
  /** Lines the table may take, its head included. */
  readonly linesMax: number;
  readonly style: Style;
  /** The chain that is marked, null for none. */
  readonly marked: number | null;
}

/** A column right of the chain's name. */
interface MeterColumn {
  readonly head: string;
  readonly width: number;
  /** The plain text of a chain's cell, never wider than the column. */
  readonly text: (chain: ChainView) => string;
  readonly paint: ((style: Style) => Paint) | null;
}

/** Tables narrower than this leave out bytes per second, bytes, the bar, shares: names have to stay readable. */
const BYTE_RATE_WIDTH = 110;
const BYTES_WIDTH = 84;
const BAR_WIDTH = 72;
const SHARES_WIDTH = 56;
const BAR_CELLS = 10;
const BAR_CELLS_WIDE = 20;
const WIDE = 130;
/** Wider tables would tear names and figures apart. */
const TABLE_WIDTH_MAX = 150;
const TABLE_WIDTH_MIN = 24;
const GAP = '  ';
/** Cells in which two ends of a name can be told. */
const BOTH_ENDS_MIN = 14;
/** Fill from which an edge is worth a line. */
const FILL_SHOWN = 0.5;

/** The lines of the table. */
export function chainTable(model: RunViewModel, look: TableLook): readonly ScreenLine[] {
  const width = Math.max(TABLE_WIDTH_MIN, Math.min(look.width, TABLE_WIDTH_MAX));
  const columns = columnsFor(width);
  const bar = barCells(width);
  const metersWidth = columns.reduce((sum, column) => sum + column.width + GAP.length, 0);
  const nameWidth = width - metersWidth - (bar === 0 ? 0 : bar + GAP.length);
  const layout = { columns, bar, nameWidth, style: look.style };
  const lines = [headLine(layout)];
  const shown = chainsThatFit(model, look.linesMax - 1);
  for (const chain of shown) {
    lines.push(chainLine(chain, layout, chain.id === look.marked));
    for (const edge of model.edges) {
      if (edge.from === chain.id && edge.fill > FILL_SHOWN)
        lines.push(edgeLine(edge, width, look.style));
    }
  }
  const left = model.chains.length - shown.length;
  if (left > 0) {
    const text = fitText(`… ${left} more, less busy`, width);
    lines.push({ text: look.style.dim(text), width: textWidth(text) });
  }
  return lines;
}

interface Layout {
  readonly columns: readonly MeterColumn[];
  readonly bar: number;
  readonly nameWidth: number;
  readonly style: Style;
}

const RATE: MeterColumn = {
  head: 'rows/s',
  width: 8,
  text: (chain) => `${formatCount(chain.rowsPerSecond)}/s`,
  paint: null,
};
const ROWS: MeterColumn = {
  head: 'rows',
  width: 6,
  text: (chain) => formatCount(chain.rows),
  paint: null,
};
const BYTES: MeterColumn = {
  head: 'bytes',
  width: 7,
  text: (chain) => (chain.bytes > 0 ? formatBytes(chain.bytes).trimEnd() : ''),
  paint: null,
};
const BYTE_RATE: MeterColumn = {
  head: 'bytes/s',
  width: 9,
  text: ({ bytesPerSecond }) =>
    bytesPerSecond > 0 ? `${formatBytes(bytesPerSecond).trimEnd()}/s` : '',
  paint: null,
};
const BUSY = shareColumn('busy', 4, (shares) => shares.busy, 'cyan');
const BLOCKED = shareColumn('blocked', 7, (shares) => shares.blocked, 'yellow');
const IDLE = shareColumn('idle', 4, (shares) => shares.idle, 'dim');

function columnsFor(width: number): readonly MeterColumn[] {
  const bytes = width < BYTES_WIDTH ? [] : [BYTES];
  const byteRate = width < BYTE_RATE_WIDTH ? [] : [BYTE_RATE];
  if (width < SHARES_WIDTH) return [RATE, BUSY];
  return [RATE, ROWS, ...bytes, ...byteRate, BUSY, BLOCKED, IDLE];
}

function shareColumn(
  head: string,
  width: number,
  pick: (shares: TimeShares) => number,
  color: 'cyan' | 'yellow' | 'dim',
): MeterColumn {
  return {
    head,
    width,
    text: (chain) => `${Math.round(pick(chain.shares) * 100)}%`,
    paint: (style) => style[color],
  };
}

function barCells(width: number): number {
  if (width < BAR_WIDTH) return 0;
  return width < WIDE ? BAR_CELLS : BAR_CELLS_WIDE;
}

/** All chains where there is room; else the busiest, in the order of the plan. Edges keep half of the lines. */
function chainsThatFit(model: RunViewModel, linesMax: number): readonly ChainView[] {
  const edgeLines = model.edges.filter((edge) => edge.fill > FILL_SHOWN).length;
  if (model.chains.length + edgeLines <= linesMax) return model.chains;
  const room = Math.max(1, Math.floor((linesMax - 1) / (edgeLines > 0 ? 2 : 1)));
  const busiest = model.chains
    .toSorted((a, b) => b.shares.busy - a.shares.busy)
    .slice(0, room)
    .map((chain) => chain.id);
  return model.chains.filter((chain) => busiest.includes(chain.id));
}

function headLine({ columns, bar, nameWidth, style }: Layout): ScreenLine {
  const cells = columns.map((column) => GAP + column.head.padStart(column.width));
  // The bar stands before the shares it draws.
  if (bar > 0) cells.splice(columns.indexOf(BUSY), 0, GAP + ' '.repeat(bar));
  const text = `${fitText('chain', nameWidth).padEnd(nameWidth)}${cells.join('')}`;
  return { text: style.dim(text), width: textWidth(text) };
}

function chainLine(chain: ChainView, layout: Layout, isMarked: boolean): ScreenLine {
  const { columns, bar, nameWidth, style } = layout;
  const name = chainName(chain, nameWidth);
  const cells = columns.map((column) => {
    const text = fitText(column.text(chain), column.width).padStart(column.width);
    return GAP + (column.paint === null ? text : column.paint(style)(text));
  });
  if (bar > 0) cells.splice(columns.indexOf(BUSY), 0, GAP + barText(chain.shares, bar, style));
  const padding = ' '.repeat(nameWidth - textWidth(name));
  const width =
    nameWidth +
    columns.reduce((sum, column) => sum + column.width + GAP.length, 0) +
    (bar === 0 ? 0 : bar + GAP.length);
  return { text: `${isMarked ? style.bold(name) : name}${padding}${cells.join('')}`, width };
}

/** The operators with their number of subtasks; of a long chain the middle is left out first. */
function chainName(chain: ChainView, width: number): string {
  const subtasks = ` ×${chain.parallelism}`;
  const room = width - textWidth(subtasks);
  const parts = chain.name.split(' -> ');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  const forms = [parts.join(' → ')];
  for (let kept = parts.length - 2; kept > 1; kept--) {
    forms.push([...parts.slice(0, kept), '…', last].join(' → '));
  }
  if (parts.length > 2) forms.push(`${first} → … → ${last}`);
  const fitting = forms.find((form) => textWidth(form) <= room);
  if (fitting !== undefined) return fitting + subtasks;
  // Not even the ends fit: both keep something of themselves.
  const tail =
    parts.length > 1 && room >= BOTH_ENDS_MIN ? ` → ${fitText(last, Math.floor(room / 3))}` : '';
  return `${fitText(first, Math.max(1, room - textWidth(tail)))}${tail}${subtasks}`;
}

/** Busy, blocked, waiting for the turn among the chains of the slot, idle. */
function barText({ busy, blocked, idle }: TimeShares, cells: number, style: Style): string {
  const busyCells = Math.round(busy * cells);
  const blockedCells = Math.min(cells - busyCells, Math.round(blocked * cells));
  const idleCells = Math.min(cells - busyCells - blockedCells, Math.round(idle * cells));
  const waitingCells = cells - busyCells - blockedCells - idleCells;
  return (
    style.cyan('█'.repeat(busyCells)) +
    style.yellow('▒'.repeat(blockedCells)) +
    style.dim('░'.repeat(waitingCells) + '·'.repeat(idleCells))
  );
}

function edgeLine(edge: EdgeView, width: number, style: Style): ScreenLine {
  const text = fitText(
    `  └ ${edge.partitioner} edge to the next chain is ${Math.round(edge.fill * 100)} % full`,
    width,
  );
  return { text: style.yellow(text), width: textWidth(text) };
}
