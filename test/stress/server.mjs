/**
 * `npm run stress:server [-- failover|isolation|submissions]`: what is promised of servers, measured on a machine that
 * does nothing else. `failover`: from the kill of a leader until records flow again; with `--quorum host:port` by
 * ZooKeeper too. `isolation`: the rate of a job beside one that crashes, one that leaks and one that never returns.
 * `submissions`: whether a server grows over `--submissions 1000`. Ends with code 1 when a promise is not kept.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { heldBy, pause, recordsOf, startServer, until } from './server-lab.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    submissions: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '6' },
    quorum: { type: 'string' },
  },
});

/** From the kill of a leader until records flow. */
const FAILOVER_MAX_MS = 5000;
/** Of the rate without a neighbour. */
const RATE_MIN = 0.9;
/** Memory that is not growth: what has been freed comes back in its own time. */
const SLACK_BYTES = 48e6;
/** Submissions at the same time. */
const TOGETHER = 4;

const PARTS = { failover, isolation, submissions };
const faults = [];
for (const name of positionals.length === 0 ? Object.keys(PARTS) : positionals) {
  if (PARTS[name] === undefined) throw new Error(`There is no part ${name}.`);
  const directory = mkdtempSync(join(tmpdir(), `millrace-${name}-`));
  try {
    await PARTS[name](directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
for (const fault of faults) console.log(`FAULT ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;

async function failover(directory) {
  const lockfile = ['--ha', 'lockfile'];
  const ways = [
    ['lockfile, kill -9', lockfile, 'SIGKILL'],
    ['lockfile, stopped (timeout 3 s)', lockfile, 'SIGSTOP'],
  ];
  if (values.quorum !== undefined) {
    const session = ['-D', 'high-availability.zookeeper.client.session-timeout=4s'];
    const zookeeper = ['--ha', 'zookeeper', '--ha-quorum', values.quorum, ...session];
    ways.push(['zookeeper, kill -9 (session 4 s)', zookeeper, 'SIGKILL']);
  }
  for (const [index, [name, flags, signal]] of ways.entries()) {
    const times = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      const id = `${index}-${round}-${process.pid}`;
      const cluster = flags[1] === 'zookeeper' ? ['--ha-cluster-id', id] : [];
      times.push(await takeOver(join(directory, id), [...flags, ...cluster], signal));
    }
    times.sort((a, b) => a - b);
    const text = times.map((ms) => `${Math.round(ms)}`).join(' ');
    console.log(`failover: ${name}: until records flow again, ms: ${text}`);
    const slowest = times.at(-1);
    if (signal === 'SIGKILL' && slowest > FAILOVER_MAX_MS) {
      faults.push(`${name} took ${slowest} ms`);
    }
  }
}

/** Ends or stops a leader whose job runs; the milliseconds until the records of the job flow at the other server. */
async function takeOver(data, flags, signal) {
  const first = await startServer(data, ...flags);
  let second = null;
  try {
    await until(first.leads);
    second = await startServer(data, ...flags);
    const jarid = await first.upload('endless.mjs');
    const flinkConfiguration = { 'execution.checkpointing.interval': '200ms' };
    const { jobid } = await first.client.runJar({ jarid }, { flinkConfiguration });
    await until(async () => (await first.client.checkpoints({ jobid })).counts.completed > 2);
    first.signal(signal);
    const { client } = second;
    // Refused with the address of the leader while it stands by, which the client would follow to it.
    return await until(async () => {
      return (await second.leads()) && (await recordsOf(client, jobid)) > 0;
    });
  } finally {
    await first.release();
    await second?.release();
  }
}

async function isolation(directory) {
  const server = await startServer(join(directory, 'data'));
  try {
    const { client } = server;
    const jarid = await server.upload('endless.mjs');
    const { jobid } = await client.runJar({ jarid }, { params: { rate: 1e9 } });
    await until(async () => (await recordsOf(client, jobid)) > 0);
    const rate = () => rateOf(client, jobid);
    await steady(rate);
    const bad = await server.upload('neighbour.mjs');
    for (const how of ['crash', 'leak', 'spin']) {
      const alone = await rate();
      const neighbour = await client.runJar({ jarid: bad }, neighbourOf(how));
      // What starting the process costs is no harm that the job does.
      await pause(2000);
      const beside = await rate();
      const { state } = await client.job({ jobid: neighbour.jobid });
      await end(client, neighbour.jobid);
      const again = await rate();
      const share = (2 * beside) / (alone + again);
      const text = [alone, beside, again].map((one) => (one / 1e6).toFixed(2)).join(', ');
      const percent = `${(share * 100).toFixed(1)} %`;
      console.log(`isolation: ${how} (${state}): before, beside, after: ${text} M/s: ${percent}`);
      if (share < RATE_MIN) faults.push(`beside ${how} a job has ${percent} of its rate`);
    }
    const { state } = await client.job({ jobid });
    if (state !== 'RUNNING') faults.push(`the job that was measured is ${state}`);
  } finally {
    await server.release();
  }
}

/** A job that does harm, again and again. */
function neighbourOf(how) {
  return {
    params: { how },
    flinkConfiguration: {
      'slot.memory': '128mb',
      'restartStrategy.type': 'fixedDelay',
      'restartStrategy.fixedDelay.attempts': '1000000',
      'restartStrategy.fixedDelay.delay': '1s',
      'restartStrategy.sameRecordFailures': '0',
      'task.cancellationTimeout': '100ms',
    },
  };
}

/** Records a second over the time of one measurement. */
async function rateOf(client, jobid) {
  const beganMs = performance.now();
  const before = await recordsOf(client, jobid);
  await pause(Number(values.seconds) * 1000);
  const records = (await recordsOf(client, jobid)) - before;
  return (records * 1000) / (performance.now() - beganMs);
}

/** Lets the job warm up, until its rate no longer grows. */
async function steady(rate) {
  for (let [before, now, round] = [0, 1, 0]; now > before * 1.03 && round < 12; round++) {
    before = now;
    now = await rate();
  }
}

async function end(client, jobid) {
  const isOver = async () => ['CANCELED', 'FAILED'].includes((await client.job({ jobid })).state);
  await client.cancelJob({ jobid }).catch(() => {});
  await until(isOver);
}

async function submissions(directory) {
  const total = Number(values.submissions);
  const data = join(directory, 'data');
  const server = await startServer(data, '--history', '5');
  const beganMs = performance.now();
  try {
    const jarid = await server.upload('neighbour.mjs');
    let left = total;
    let failed = 0;
    const samples = [];
    const submit = async () => {
      while (left-- > 0) {
        const { jobid } = await server.client.runJar({ jarid }, { params: { rate: 1e6 } });
        await until(async () => {
          const { jobs } = await server.client.jobs();
          const status = jobs.find(({ id }) => id === jobid)?.status ?? 'FINISHED';
          if (status === 'FAILED') failed++;
          return status === 'FINISHED' || status === 'FAILED';
        });
      }
    };
    for (const share of [0.2, 0.4, 0.6, 0.8, 1]) {
      left = Math.round(total * share) - Math.round(total * (share - 0.2));
      await Promise.all(Array.from({ length: TOGETHER }, submit));
      await pause(500);
      samples.push(heldBy(server.pid, data));
      const { rssBytes, threads, descriptors, files } = samples.at(-1);
      const memory = `${(rssBytes / 1e6).toFixed(0)} MB, ${threads} threads`;
      const done = Math.round(total * share);
      console.log(`submissions: ${done}: ${memory}, ${descriptors} descriptors, ${files} files`);
    }
    const perSecond = (total * 1000) / (performance.now() - beganMs);
    console.log(
      `submissions: ${perSecond.toFixed(1)} jobs/s from submission to end, ${failed} failed`,
    );
    if (failed > 0) faults.push(`${failed} jobs failed`);
    growth(samples);
  } finally {
    await server.release();
  }
}

/** The first fifth is for whatever is made once. */
function growth([first, ...later]) {
  const last = later.at(-1);
  if (last.rssBytes > first.rssBytes + SLACK_BYTES) faults.push('the memory of the server grows');
  if (last.threads > first.threads) faults.push('the threads of the server grow');
  if (last.descriptors > first.descriptors + 2) faults.push('the open files of the server grow');
  if (last.files > first.files + 8) faults.push('the files of the server grow');
}
