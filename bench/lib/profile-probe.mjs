/**
 * Profiles every thread of a program, workers too: `node --import` runs it in each of them. Node's own `--cpu-prof`
 * misses workers that end by `process.exit`. Callers: `profile.mjs`, through the arguments of Node.js. Runs on: every
 * thread. The profiles go to the directory in MILLRACE_BENCH_PROFILE.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { threadId, Worker } from 'node:worker_threads';

const directory = process.env.MILLRACE_BENCH_PROFILE;
const SAMPLE_MICROS = 500;

/** Time for a worker that ends by itself to write its profile before whoever started it terminates it. */
const GRACE_MS = 1500;

if (directory !== undefined) {
  const terminate = Worker.prototype.terminate;
  Worker.prototype.terminate = async function terminateLater() {
    await pause(GRACE_MS);
    return terminate.call(this);
  };
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROS });
  session.post('Profiler.start');
  process.once('exit', () => {
    // Within one thread the inspector answers before `post` returns.
    session.post('Profiler.stop', (error, result) => {
      if (error !== null) return;
      const path = join(directory, `${process.pid}-thread-${threadId}.cpuprofile`);
      writeFileSync(path, JSON.stringify(result.profile));
    });
  });
}
