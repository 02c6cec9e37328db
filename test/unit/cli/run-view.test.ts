import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveView, PlainView, type ViewedRun } from '../../../src/cli/run-view.js';
import { Screen } from '../../../src/cli/screen.js';
import { PLAIN_STYLE } from '../../../src/cli/style.js';
import type { RunMetricsSnapshot } from '../../../src/runtime/metrics-snapshot.js';
import { FakeTerminal } from './fake-terminal.js';
import { vertex } from './metrics-fixtures.js';

/** Reads 1000 rows a second, the first second nothing. */
function metricsAt(elapsedMs: number): RunMetricsSnapshot {
  const rowsIn = Math.max(0, elapsedMs - 1000);
  const name = `csv ${process.cwd()}/data/in.csv`;
  const vertices = [vertex({ id: 0, name, isSource: true }, [{ rowsIn, busyMs: rowsIn }])];
  return { elapsedMs, vertices, edges: [], process: null };
}

function execution(): ViewedRun {
  const startMs = Date.now();
  return {
    slots: () => 1,
    metrics: () => metricsAt(Date.now() - startMs),
    whyNoOutput: () => [],
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('plain lines', () => {
  it('come every five seconds, with the rate of those seconds, and stop', () => {
    const lines: string[] = [];
    const view = new PlainView(execution(), { write: (text) => lines.push(text) });
    vi.advanceTimersByTime(4900);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(5200);
    expect(lines).toEqual([
      '4.00 K rows, 800 rows/s, 5.00 s; The source "csv data/in.csv" sets the pace: busy 80 % of the time\n',
      '9.00 K rows, 1.00 K rows/s, 10.0 s; The source "csv data/in.csv" sets the pace: busy 100 % of the time\n',
    ]);
    view.say('Canceling.');
    view.close(['summary']);
    view.close(['again']);
    vi.advanceTimersByTime(60_000);
    expect(lines.slice(2)).toEqual(['Canceling.\n', 'summary\n']);
  });
});

describe('the live view', () => {
  it('shows averages over the last two seconds, says things, and ends as what is left', () => {
    const terminal = new FakeTerminal(80, 20);
    const stream = {
      columns: 80,
      rows: 20,
      write: (text: string | Uint8Array) => terminal.write(String(text)),
    };
    const noProcess = { on: () => {}, off: () => {}, suspend: () => {} };
    const view = new LiveView(execution(), new Screen(stream, [], noProcess), PLAIN_STYLE);
    vi.advanceTimersByTime(5000);
    const [, head, chain, , progress] = terminal.lines();
    expect(head).toMatch(/^chain +rows\/s/);
    expect(chain).toMatch(/^csv data\/in\.csv ×1 +1\.00 K\/s +4\.00 K .* 100% +0% +0%$/);
    expect(progress).toBe('4.00 K rows, 1.00 K rows/s, 5.00 s');
    view.say('Canceling; interrupt again to end at once.');
    expect(terminal.lines().at(-1)).toBe('Canceling; interrupt again to end at once.');
    view.close(['summary']);
    vi.advanceTimersByTime(5000);
    expect(terminal.lines()).toEqual(['summary']);
  });
});
