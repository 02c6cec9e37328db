/**
 * `npm run bench -- <case> --profile <contender>`: runs the contender once with a profiler in every thread, keeps the
 * profiles for Chrome's developer tools, and prints where the time went. Callers: `run.mjs`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requestOf } from './case-runner.mjs';
import { runOnce } from './spawn-run.mjs';

const out = fileURLToPath(new URL('../../out/bench/profiles/', import.meta.url));
const probe = new URL('./profile-probe.mjs', import.meta.url).href;
const FUNCTIONS_SHOWN = 25;
/** Threads that did less than this share of the work of the busiest one are left out. */
const BUSY_SHARE_MIN = 0.02;

/**
 * @param {readonly import('./bench-case.mjs').BenchCase[]} cases
 * @param {string} name of the contender
 * @param {import('./case-runner.mjs').RunSettings} settings
 */
export async function profileCase(cases, name, settings) {
  for (const benchCase of cases) {
    const contender = benchCase.contenders.find((entry) => entry.name === name);
    if (contender === undefined) throw new Error(`${benchCase.name} has no contender "${name}".`);
    const directory = join(out, `${benchCase.name}-${name}`);
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    process.env.MILLRACE_BENCH_PROFILE = directory;
    const request = requestOf(benchCase, contender, settings);
    const report = await runOnce(contender, request, ['--import', probe]);
    console.log(`${benchCase.name}, ${name}: ${report.elapsedMs.toFixed(0)} ms with profilers`);
    for (const text of threadTexts(directory)) console.log(text);
    console.log(`Profiles: ${directory}`);
  }
}

function threadTexts(directory) {
  const threads = readdirSync(directory).map((file) => readProfile(join(directory, file)));
  const busiest = Math.max(...threads.map(({ busyMs }) => busyMs));
  return threads
    .filter(({ busyMs }) => busyMs >= busiest * BUSY_SHARE_MIN)
    .map(({ file, busyMs, idleMs, functions }) => {
      const head = `\n${basename(file)}: busy ${busyMs.toFixed(0)} ms, idle ${idleMs.toFixed(0)} ms`;
      const lines = functions.slice(0, FUNCTIONS_SHOWN).map(({ ms, where }) => {
        const share = ((ms / busyMs) * 100).toFixed(1).padStart(5);
        return `  ${share} %  ${ms.toFixed(0).padStart(6)} ms  ${where}`;
      });
      return [head, ...lines].join('\n');
    });
}

/** Time that each function spent itself. */
function readProfile(file) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const millis = new Map();
  let idleMs = 0;
  for (const [index, id] of samples.entries()) {
    const ms = (timeDeltas[index + 1] ?? 0) / 1000;
    const frame = frames.get(id);
    if (frame.functionName === '(idle)' || frame.functionName === '(program)') {
      idleMs += ms;
      continue;
    }
    const where = placeOf(frame);
    millis.set(where, (millis.get(where) ?? 0) + ms);
  }
  const functions = [...millis].map(([where, ms]) => ({ where, ms })).sort((a, b) => b.ms - a.ms);
  const busyMs = functions.reduce((sum, { ms }) => sum + ms, 0);
  return { file, busyMs, idleMs, functions };
}

function placeOf({ functionName, url, lineNumber }) {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name}  ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
}
