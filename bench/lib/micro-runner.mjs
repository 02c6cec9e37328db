/**
 * `npm run bench -- micro [name ...]`: small functions of the engine alone, timed by tinybench, and the same functions
 * by `benchmark` as a second opinion. Two libraries that agree within a few percent are measuring the function; where
 * they differ by more the line says so, and the figure should not be quoted. Callers: `run.mjs`.
 */
import { readdirSync } from 'node:fs';
import Benchmark from 'benchmark';
import { Bench } from 'tinybench';
import { engineBundle } from './engine-bundle.mjs';
import { circumstances } from './print-case.mjs';
import { describeMachine } from './machine.mjs';
import { spreadOf } from './statistics.mjs';
import { significant } from './units.mjs';

/**
 * One micro case, exported as `micro` by a file in `micro/`.
 *
 * @typedef {object} Micro
 * @property {string} name
 * @property {string} title
 * @property {readonly string[]} modules of the engine, below `src/`
 * @property {string} unit of what `perCall` counts
 * @property {number} perCall how many of them a call of a task works on
 * @property {(engine: any, seed: number) => Record<string, () => unknown>} setup gives the tasks; may be async
 */

const TIME_MS = 1000;
const TIME_QUICK_MS = 200;
/** Above this relative difference the two libraries do not agree. */
const AGREE_WITHIN = 0.15;

/**
 * @param {readonly string[]} names
 * @param {{ quick: boolean, json: boolean, seed: string }} options
 */
export async function runMicro(names, { quick, json, seed }) {
  const directory = new URL('../micro/', import.meta.url);
  const files = readdirSync(directory).filter((name) => name.endsWith('.mjs'));
  const all = await Promise.all(files.map((name) => import(new URL(name, directory).href)));
  const wanted = all
    .map(({ micro }) => micro)
    .filter(({ name }) => names.length === 0 || names.includes(name));
  if (wanted.length === 0)
    throw new Error(
      `There is no such micro case; there are ${all.map(({ micro }) => micro.name).join(', ')}.`,
    );
  const timeMs = quick ? TIME_QUICK_MS : TIME_MS;
  for (const micro of wanted) {
    const engine = await import(await engineBundle(micro.modules));
    const tasks = await micro.setup(engine, Number(seed));
    if (!json) console.log(`\n${micro.name}: ${micro.title}`);
    const first = await byTinybench(tasks, timeMs);
    const second = await byBenchmark(tasks, timeMs);
    for (const task of Object.keys(tasks)) {
      const nanos = first[task] / micro.perCall;
      const opinion = second[task] / micro.perCall;
      const agree = Math.abs(nanos - opinion) <= AGREE_WITHIN * Math.min(nanos, opinion);
      const record = {
        micro: micro.name,
        task,
        unit: micro.unit,
        tinybenchNanos: nanos,
        benchmarkNanos: opinion,
        agree,
      };
      console.log(json ? JSON.stringify(record) : textOf(record));
    }
  }
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  if (!json)
    console.log(
      `\n${circumstances({ command, seed: Number(seed), guarantee: 'none', machine: describeMachine() })}`,
    );
}

function textOf({ task, unit, tinybenchNanos, benchmarkNanos, agree }) {
  const figures = `${significant(tinybenchNanos).padStart(8)} ns a ${unit}, benchmark ${significant(benchmarkNanos)}`;
  return `  ${task.padEnd(32)} ${figures}${agree ? '' : '  (they disagree: do not quote)'}`;
}

/** Nanoseconds of a call, by task; the median, which a collection of garbage does not move. */
async function byTinybench(tasks, timeMs) {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4 });
  for (const [name, task] of Object.entries(tasks)) bench.add(name, task);
  await bench.run();
  return Object.fromEntries(
    bench.tasks.map(({ name, result }) => [name, result.latency.p50 * 1e6]),
  );
}

/** Nanoseconds of a call, by task; the median of its cycles. */
function byBenchmark(tasks, timeMs) {
  return new Promise((resolve, reject) => {
    const nanos = {};
    const suite = new Benchmark.Suite();
    for (const [name, task] of Object.entries(tasks))
      suite.add(name, task, { maxTime: timeMs / 1000 });
    suite.on('cycle', ({ target }) => {
      nanos[target.name] = spreadOf(target.stats.sample).median * 1e9;
    });
    suite.on('error', ({ target }) => reject(target.error));
    suite.on('complete', () => resolve(nanos));
    suite.run({ async: true });
  });
}
