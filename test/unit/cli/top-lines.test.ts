import { describe, expect, it } from 'vitest';
import { PLAIN_STYLE } from '../../../src/cli/style.js';
import { chosenAfter, plainTopLines, topLines } from '../../../src/cli/top-lines.js';
import type { TopJob, TopSnapshot } from '../../../src/cli/top-snapshot.js';
import type { JobFlow } from '../../../src/rest/job-schemas.js';

const idOf = (at: number): string => String(at).padStart(32, '0');

const job = (at: number, more: Partial<TopJob> = {}): TopJob => ({
  jobid: idOf(at),
  name: `job${at}`,
  state: 'RUNNING',
  duration: 1000,
  recordsPerSecond: 1_210_000,
  busy: 0.93,
  blocked: 0.41,
  checkpointAge: 3200,
  restarts: 2,
  residentBytes: 412 * 1024 ** 2,
  bottleneck: null,
  ...more,
});

const flow: JobFlow = {
  jid: idOf(0),
  name: 'job0',
  state: 'RUNNING',
  now: 0,
  vertices: ['readings -> map', 'count'].map((name, at) => ({
    id: `v${at}`,
    name,
    parallelism: 2,
    status: 'RUNNING' as const,
    isSource: at === 0,
    operators: [],
    records: 1000,
    recordsPerSecond: 500,
    bytesPerSecond: 0,
    busy: 0.5,
    blocked: 0.25,
    idle: 0.25,
    watermark: null,
    lateRecords: 0,
    badRecords: 0,
  })),
  edges: [
    {
      ...{ from: 'v0', to: 'v1', strategy: 'HASH', fill: 0.9 },
      ...{ recordsPerSecond: 500, bytesPerSecond: 0 },
    },
  ],
  bottleneck: null,
};

const snapshot = (jobs: readonly TopJob[]): TopSnapshot => ({
  url: 'http://127.0.0.1:8081',
  now: Date.UTC(2026, 0, 2, 3, 4, 5),
  slotsTotal: 8,
  slotsAvailable: 5,
  jobs,
  flows: new Map([[idOf(0), flow]]),
});

const shown = (of: TopSnapshot, more: object = {}) =>
  topLines({
    ...{ snapshot: of, chosen: null, isOpen: false, said: '', style: PLAIN_STYLE },
    ...{ columns: 100, rows: 24 },
    ...more,
  });
const texts = (lines: ReturnType<typeof shown>): string[] => lines.map(({ text }) => text);

describe('the dashboard of a server', () => {
  it('shows rate, shares, age of the checkpoint, memory and restarts of each job', () => {
    const lines = texts(
      shown(snapshot([job(0), job(1, { checkpointAge: null, residentBytes: null })])),
    );
    expect(lines[1]).toBe('http://127.0.0.1:8081: 2 jobs, 3 of 8 slots taken');
    expect(lines[3]?.split(/ {2,}/)).toEqual([
      '>',
      'job0',
      'RUNNING',
      '1.21 M',
      '93 %',
      '41 %',
      '3 s ago',
      '412 MB',
      '2',
    ]);
    expect(lines[4]?.split(/ {2,}/).slice(1)).toEqual([
      'job1',
      'RUNNING',
      '1.21 M',
      '93 %',
      '41 %',
      'none',
      '-',
      '2',
    ]);
    expect(texts(shown(snapshot([])))).toContain('No jobs run or wait.');
  });

  it('shows the chains of the chosen job, and full edges between them', () => {
    const lines = texts(shown(snapshot([job(0), job(1)]), { isOpen: true }));
    expect(lines.some((text) => text.startsWith('readings → map ×2'))).toBe(true);
    expect(lines.some((text) => text.includes('HASH edge to the next chain is 90 % full'))).toBe(
      true,
    );
    const other = texts(shown(snapshot([job(0), job(1)]), { isOpen: true, chosen: idOf(1) }));
    expect(other.some((text) => text.includes('readings'))).toBe(false);
  });

  it('fits the terminal, and keeps the chosen job in sight', () => {
    const many = snapshot(Array.from({ length: 300 }, (_, at) => job(at)));
    for (const isOpen of [false, true]) {
      for (const [columns, rows] of [
        [100, 24],
        [40, 10],
        [24, 5],
      ] as const) {
        const lines = shown(many, { columns, rows, isOpen, chosen: idOf(250) });
        expect(lines.length).toBeLessThan(Math.max(rows, 10) + 1);
        for (const { width } of lines) expect(width).toBeLessThan(columns + 1);
        expect(texts(lines).some((text) => text.startsWith('>  job250'))).toBe(true);
      }
    }
  });

  it('goes through the jobs and stops at the ends', () => {
    const three = snapshot([job(0), job(1), job(2)]);
    expect(chosenAfter(three, null, 1)).toBe(idOf(1));
    expect(chosenAfter(three, idOf(2), 1)).toBe(idOf(2));
    expect(chosenAfter(three, idOf(0), -1)).toBe(idOf(0));
    // One that has ended is no longer there: the first one is.
    expect(chosenAfter(three, idOf(9), 1)).toBe(idOf(1));
    expect(chosenAfter(snapshot([]), null, 1)).toBeNull();
  });

  it('lets no name of a job move the cursor', () => {
    const hostile = snapshot([job(0, { name: '\x1b[2Jgone\n', bottleneck: 'slow\x07' })]);
    for (const text of [...texts(shown(hostile)), ...plainTopLines(hostile)]) {
      expect(text).not.toMatch(/\p{Cc}/u);
    }
    expect(texts(shown(hostile)).join()).toContain('\\x1b[2Jgone\\n');
  });

  it('has a line for each job without a terminal', () => {
    expect(plainTopLines(snapshot([job(0)]))).toEqual([
      '03:04:05 http://127.0.0.1:8081: 1 job, 3 of 8 slots taken',
      '03:04:05 00000000 job0 RUNNING: 1.21 M rows/s, busy 93 %, blocked 41 %, ' +
        'checkpoint 3 s ago, memory 412 MB, restarts 2',
    ]);
  });
});
