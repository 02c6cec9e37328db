/** Flame graphs, thread dumps and profiles of the jobs of a server, over REST and from the command line. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  FlameGraph,
  FlameGraphNode,
  Profile,
  ThreadDump,
} from '../../../src/rest/profile-schemas.js';
import { runCli } from '../run-cli.js';
import { poll, TestServer } from './server-harness.js';

describe('a server', () => {
  let directory: string;
  let server: TestServer;
  let jobid: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-server-profile-'));
    server = await TestServer.start(join(directory, 'data'), '--uploads');
    jobid = await server.run('hot.mjs', { parallelism: 2 });
    await server.until(jobid, ({ vertices }) => {
      return (vertices.at(-1)?.metrics['read-records'] ?? 0) > 10_000;
    });
  });
  afterAll(async () => {
    await server.release();
    rmSync(directory, { recursive: true, force: true });
  });

  const cli = (...words: readonly string[]) =>
    runCli([...words, '-m', server.url], { cwd: directory });
  const flame = (vertexid: string, query: string) =>
    server.call<FlameGraph>('flameGraph', { jobid, vertexid, query });
  const chain = async (index: number) => (await server.job(jobid)).vertices.at(index)?.id ?? '';

  it('shows in which functions a chain is, those of the job by their names', async () => {
    const vertexid = await chain(-1);
    // A machine that does other things may let nothing run in between.
    const busy = (query: string) => poll(() => flame(vertexid, query), hasRateSlowly);
    const { endTimestamp, data } = await busy('?type=ON_CPU');
    expect(endTimestamp).toBeGreaterThan(0);
    expect(data?.name).toBe('root');
    const [all, waiting] = await Promise.all([
      flame(vertexid, ''),
      flame(vertexid, '?type=off_cpu'),
    ]);
    expect(hasRateSlowly(waiting)).toBe(false);
    expect(all.data?.value).toBeGreaterThan(0);
    await busy('?type=on_cpu&subtaskindex=0');
    const { status } = await server.raw(
      'GET',
      `/jobs/${jobid}/vertices/${vertexid}/flamegraph?subtaskindex=2`,
    );
    expect(status).toBe(404);
    // The function is no part of the source's chain.
    const source = await flame(await chain(0), '?type=on_cpu');
    expect(hasRateSlowly(source)).toBe(false);
  });

  it('tells what the threads of a job, and its own, do now', async () => {
    const { threadInfos } = await server.call<ThreadDump>('taskManagerThreadDump', {
      taskmanagerid: jobid,
    });
    const names = threadInfos.map(({ threadName }) => threadName);
    expect(names).toContain('main');
    expect(names).toContain('millrace-slot-0');
    expect(names).toContain('millrace-slot-1');
    for (const { threadName, stringifiedThreadInfo } of threadInfos) {
      expect(stringifiedThreadInfo).toMatch(
        /^"[^"]+" Id=\d+ (RUNNABLE|WAITING)\n(\tat [^\n]+\n)*\n$/,
      );
      expect(stringifiedThreadInfo).toContain(`"${threadName}"`);
    }
    const own = await server.call<ThreadDump>('jobManagerThreadDump');
    expect(own.threadInfos.map(({ threadName }) => threadName)).toContain('main');
  });

  it('gives the samples themselves', async () => {
    const { vertices, threads } = await server.call<Profile>('jobProfile', {
      jobid,
      query: '?seconds=0.3',
    });
    expect(vertices.map(({ number }) => number)).toEqual(vertices.map((_, index) => index));
    expect(threads.map(({ slot }) => slot).toSorted()).toEqual([0, 1]);
    const { status, body } = await server.raw('GET', `/jobs/${jobid}/profile?seconds=99`);
    expect(status).toBe(400);
    expect(body['code']).toBe('OPTION_INVALID');
  });

  it('has the command line print them, and write them', async () => {
    const { code, stdout } = await cli(
      'profile',
      'hot',
      '--seconds',
      '0.5',
      '-o',
      'hot.cpuprofile',
    );
    expect(code).toBe(0);
    expect(stdout).toContain('rateSlowly ');
    const files = readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'));
    expect(files.toSorted()).toEqual(['hot-slot-0.cpuprofile', 'hot-slot-1.cpuprofile']);
    const written = files.map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')));
    for (const { nodes, samples, timeDeltas } of written) {
      expect(samples.length).toBe(timeDeltas.length);
      expect(nodes[0].callFrame.functionName).toBe('(root)');
    }
    const ofMap = async () =>
      JSON.parse(
        (await cli('profile', 'hot', '--operator', 'map', '--seconds', '0.3', '--json')).stdout,
      );
    const { chains } = await poll(ofMap, (found) => found.chains[0].share > 0);
    expect(chains).toHaveLength(1);
    const wrong = await cli('profile', 'hot', '--operator', 'mapp');
    expect(wrong.stderr).toContain('Did you mean "map"?');
    expect((await cli('profile', 'hot', '--seconds', 'ten')).stderr).toContain('0.1 to 60');
  });

  it('shows no flame graph of what has ended, as Flink says it, and refuses the rest', async () => {
    const vertexid = await chain(-1);
    await server.call('cancelJob', { jobid });
    await server.until(jobid, ({ state }) => state === 'CANCELED');
    expect(await flame(vertexid, '')).toEqual({ endTimestamp: -1 });
    const refused = await Promise.all(
      [`/jobs/${jobid}/profile`, `/taskmanagers/${jobid}/thread-dump`].map((path) =>
        server.raw('GET', path),
      ),
    );
    for (const { status, body } of refused) {
      expect({ status, code: body['code'] }).toEqual({ status: 409, code: 'JOB_NOT_RUNNING' });
    }
    const { status } = await server.raw('GET', `/jobs/${jobid}/vertices/none/flamegraph`);
    expect(status).toBe(404);
    await poll(
      () => server.raw('GET', '/overview'),
      ({ status: answered }) => answered === 200,
    );
  });
});

function hasRateSlowly({ data }: FlameGraph): boolean {
  return namesIn(data).some((name) => name.startsWith('rateSlowly '));
}

function namesIn(node: FlameGraphNode | undefined): readonly string[] {
  return node === undefined ? [] : [node.name, ...node.children.flatMap(namesIn)];
}
