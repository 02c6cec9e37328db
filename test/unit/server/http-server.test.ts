import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errors, type Health } from '../../../src/rest/cluster-schemas.js';
import { type PathDefinition, PATHS } from '../../../src/rest/paths.js';
import type { httpServer } from '../../../src/server/http-server.js';
import { mismatch } from '../rest/schema-check.js';
import { fakeRest } from './fake-rest.js';
import { FakeWorld, settle, submissionOf } from './fake-world.js';

describe('the REST interface', () => {
  let world: FakeWorld;
  let http: ReturnType<typeof httpServer>;
  let dispatcher: ReturnType<FakeWorld['dispatcher']>;
  let role: Health;

  function open(allowsUploads = true, token: string | null = null): void {
    dispatcher = world.dispatcher();
    ({ http } = fakeRest(world, dispatcher, { allowsUploads, token, health: () => role }));
  }

  beforeEach(() => {
    world = new FakeWorld();
    role = { status: 'leader', epoch: 7, leader: 'http://localhost:8081' };
    open();
  });
  afterEach(async () => {
    await http.close();
    world.release();
  });

  async function ask(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT',
    url: string,
    payload?: string | object,
    type = 'application/json',
  ) {
    const { statusCode, body } = await http.inject({
      method,
      url,
      headers: { host: 'localhost', ...(payload === undefined ? {} : { 'content-type': type }) },
      ...(payload === undefined ? {} : { payload }),
    });
    const reply = JSON.parse(body);
    if (statusCode >= 400) expect(mismatch(errors, reply)).toBeNull();
    return { http: statusCode, ...reply };
  }

  const ID = 'f'.repeat(32);

  it('says whether it leads, and sends to the leader when it does not', async () => {
    expect(await ask('GET', '/health')).toEqual({ http: 200, ...role });
    role = { status: 'standby', epoch: null, leader: 'http://10.0.0.2:8081' };
    expect(await ask('GET', '/v1/health')).toEqual({ http: 200, ...role });
    expect(await ask('GET', '/jobs')).toMatchObject({ http: 503, code: 'NOT_LEADER' });
    expect(await ask('POST', `/jars/${ID}_a.mjs/run`, {})).toMatchObject({ code: 'NOT_LEADER' });
    const of = (url: string) => http.inject({ method: 'GET', url, headers: { host: 'localhost' } });
    expect((await of('/jobs/metrics?get=x')).headers).toMatchObject({
      location: 'http://10.0.0.2:8081/jobs/metrics?get=x',
    });
    expect(await of('/')).toMatchObject({
      statusCode: 307,
      headers: { location: 'http://10.0.0.2:8081/' },
    });
    role = { ...role, leader: null };
    expect(await of('/')).toMatchObject({ statusCode: 503 });
    expect((await of('/jobs')).headers).not.toHaveProperty('location');
  });

  it('asks for no token to say whether it leads', async () => {
    await http.close();
    open(true, 'secret');
    expect(await ask('GET', '/health')).toMatchObject({ http: 200, status: 'leader' });
    expect(await ask('GET', '/jobs')).toMatchObject({ http: 403 });
  });
  async function running(): Promise<string> {
    await dispatcher.submit(ID, submissionOf(2), world.module);
    await settle();
    return ID;
  }

  it('answers every path that asks, with and without /v1, as the table says', async () => {
    await running();
    const { vertices } = await ask('GET', `/jobs/${ID}`);
    const [{ id: vertexid }] = vertices;
    const asked: string[] = [];
    for (const [name, { method, path, reply }] of Object.entries<PathDefinition>(PATHS)) {
      if (
        method !== 'GET' ||
        typeof reply === 'string' ||
        /:(triggerid|checkpointid|jarid)/.test(path)
      )
        continue;
      const url = path
        .replace(/:(?:jobid|taskmanagerid)/, ID)
        .replace(':vertexid', vertexid)
        .replace(':subtaskindex', '0')
        .replace(':attempt', '0');
      for (const prefix of ['', '/v1']) {
        const { statusCode, body } = await http.inject({ url: `${prefix}${url}` });
        expect(statusCode, url).toBe(200);
        expect(mismatch(reply, JSON.parse(body)), name).toBeNull();
      }
      asked.push(name);
    }
    expect(asked.length).toBeGreaterThan(18);
  });

  it('gives metrics as Prometheus takes them, and what a job has printed', async () => {
    await running();
    const { body, headers } = await http.inject({ url: '/metrics' });
    expect(headers['content-type']).toMatch(/^text\/plain/);
    const form = /^(?:# TYPE \w+ gauge|\w+(?:\{(?:\w+="[^"\n]*",?)+\}) -?[\d.e+-]+)$/;
    const lines = body.trimEnd().split('\n');
    expect(lines.filter((line) => !form.test(line))).toEqual([]);
    const host = hostname();
    expect(lines).toContain(
      `flink_jobmanager_job_numRestarts{host="${host}",job_id="${ID}",job_name="fake"} 0`,
    );
    expect(lines).toContain(`flink_jobmanager_taskSlotsAvailable{host="${host}"} 2`);
    const types = lines.filter((line) => line.startsWith('#'));
    expect(new Set(types).size).toBe(types.length);
    const printed = `/taskmanagers/${ID}/stdout`;
    expect((await http.inject({ url: printed })).body).toBe('');
    const directory = world.store.directoryOf(ID);
    writeFileSync(join(directory, 'output.log.1'), 'before\n');
    writeFileSync(join(directory, 'output.log'), 'after\n');
    expect((await http.inject({ url: `/v1${printed}` })).body).toBe('before\nafter\n');
  });

  it.each([
    ['GET', '/jbos', 'PATH_UNKNOWN', 404, 'Did you mean GET /jobs?'],
    ['PUT', '/overview', 'PATH_UNKNOWN', 404, 'Did you mean GET /overview?'],
    ['GET', '/v2/overview', 'PATH_UNKNOWN', 404, null],
    ['GET', '/jobs/123', 'JOB_UNKNOWN', 404, null],
    ['GET', `/jobs/${ID}/vertices/1`, 'JOB_UNKNOWN', 404, null],
    ['GET', '/jobs/..%2f..%2fetc%2fpasswd', 'JOB_UNKNOWN', 404, null],
    ['DELETE', '/jars/..%2f..%2fjobs', 'BUNDLE_UNKNOWN', 404, null],
    ['DELETE', '/jars/..%5c..%5cjobs', 'BUNDLE_UNKNOWN', 404, null],
    ['GET', `/savepoint-disposal/${ID}`, 'TRIGGER_UNKNOWN', 404, null],
    ['PATCH', `/jobs/${ID}?mode=stop`, 'REQUEST_INVALID', 400, null],
    ['PATCH', `/jobs/${ID}?mod=cancel`, 'REQUEST_INVALID', 400, 'Did you mean "mode"?'],
    ['GET', '/jobs/metrics?get=a&get=b', 'REQUEST_INVALID', 400, null],
    ['GET', '/overview?x=1', 'REQUEST_INVALID', 400, null],
  ] as const)('%s %s: %s', async (method, url, code, status, advice) => {
    const reply = await ask(method, url);
    expect(reply).toMatchObject({ http: status, code });
    if (advice !== null) expect(reply.advice).toBe(advice);
  });

  it.each([
    [{ paralellism: 2 }, 'Did you mean "parallelism"?'],
    [{ parallelism: '2' }, null],
    [{ parallelism: 0 }, null],
    [{ jobId: 'x' }, null],
    [{ programArgsList: 'a=1' }, null],
    [{ flinkConfiguration: { parallelism: 2 } }, null],
    [[], null],
    ['{', null],
    ['{"__proto__": {}}', null],
  ])('a body of %j is refused', async (body, advice) => {
    const reply = await ask('POST', '/jars/x/run', body);
    expect(reply).toMatchObject({ http: 400, code: 'REQUEST_INVALID' });
    if (advice !== null) expect(reply.advice).toBe(advice);
  });

  it('refuses bodies that are too large, or of another type', async () => {
    const large = JSON.stringify({ params: { text: 'x'.repeat(2 ** 20) } });
    const tooLarge = await ask('POST', '/jars/x/run', large);
    expect(tooLarge).toMatchObject({ http: 413, code: 'REQUEST_TOO_LARGE' });
    const xml = await ask('POST', '/jars/x/run', '<a/>', 'application/xml');
    expect(xml).toMatchObject({ http: 400, code: 'REQUEST_INVALID' });
    const noForm = await ask('POST', '/jars/upload', '{}');
    expect(noForm).toMatchObject({ http: 400, code: 'REQUEST_INVALID' });
  });

  it('takes uploads only where they are allowed', async () => {
    const form =
      '--x\r\nContent-Disposition: form-data; name="jarfile"; filename="a.mjs"\r\n\r\nlet a;\r\n--x--';
    const type = 'multipart/form-data; boundary=x';
    expect(await ask('POST', '/jars/upload', form, type)).toMatchObject({ http: 200 });
    const { files } = await ask('GET', '/jars');
    expect(files).toMatchObject([{ name: 'a.mjs' }]);
    await http.close();
    open(false);
    const refused = await ask('POST', '/jars/upload', form, type);
    expect(refused).toMatchObject({ http: 403, code: 'UPLOADS_DISABLED' });
  });

  it('tells what is wrong with a job, with advice', async () => {
    const form =
      '--x\r\nContent-Disposition: form-data; name="jarfile"; filename="a.mjs"\r\n\r\nlet a;\r\n--x--';
    await ask('POST', '/jars/upload', form, 'multipart/form-data; boundary=x');
    const { files } = await ask('GET', '/jars');
    const url = `/jars/${files[0].id}`;
    const reply = await ask('POST', `${url}/run`, { entryClass: 'wrong' });
    expect(reply).toMatchObject({
      http: 400,
      code: 'FIELD_UNKNOWN',
      advice: 'Did you mean "b"?',
    });
    const { plan } = await ask('POST', `${url}/plan`, { parallelism: 3 });
    expect(plan.nodes.map((node: { parallelism: number }) => node.parallelism)).toEqual([3, 3]);
    const { jobid } = await ask('POST', `${url}/run`, { jobId: ID, parallelism: 1 });
    expect(jobid).toBe(ID);
    expect(await ask('POST', `${url}/run`, { parallelism: 99 })).toMatchObject({
      http: 400,
      code: 'PARALLELISM_INVALID',
    });
  });

  it('says so when a job cannot do what is asked', async () => {
    const jobid = await running();
    const trigger = await ask('POST', `/jobs/${jobid}/savepoints`, {});
    await settle();
    const { operation } = await ask('GET', `/jobs/${jobid}/savepoints/${trigger['request-id']}`);
    expect(operation['failure-cause']).toMatchObject({ class: 'CHECKPOINT_FAILED' });
    const typed = await ask('POST', `/jobs/${jobid}/checkpoints`, { checkpointType: 'FULL' });
    expect(typed).toMatchObject({ http: 400, code: 'FEATURE_UNSUPPORTED' });
    world.processOf(jobid)?.finish();
    await settle();
    const late = await ask('PATCH', `/jobs/${jobid}`);
    expect(late).toMatchObject({ http: 409, code: 'JOB_NOT_RUNNING' });
  });

  describe('the console', () => {
    const get = (url: string, headers: Readonly<Record<string, string>> = {}) =>
      http.inject({ method: 'GET', url, headers: { host: 'localhost', ...headers } });

    it('is a page that may load and ask nothing but this server', async () => {
      const { statusCode, headers, body } = await get('/');
      expect(statusCode).toBe(200);
      expect(body).toContain('<title>Millrace</title>');
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['cache-control']).toBe('no-store');
      const policy = String(headers['content-security-policy']).split('; ');
      expect(policy).toContain("default-src 'none'");
      expect(policy.join(' ')).not.toMatch(/unsafe|https?:|\*/);
    });

    it('has parts that browsers keep, compressed for those that can read it', async () => {
      const plain = await get('/assets/main-1a2b.js');
      expect(plain.body).toBe('export {};');
      expect(plain.headers['cache-control']).toContain('immutable');
      const zipped = await get('/assets/main-1a2b.js', { 'accept-encoding': 'br, gzip' });
      expect(zipped.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(zipped.rawPayload).toString()).toBe('export {};');
    });

    it('reaches no other file, whatever is asked for', async () => {
      writeFileSync(join(world.directory, 'secret.js'), 'secret');
      for (const url of [
        '/assets/other.js',
        '/assets/..%2f..%2fsecret.js',
        '/assets/%2e%2e%2fsecret.js',
        '/assets/../../secret.js',
        '/assets/index.html',
      ]) {
        const { statusCode, body } = await get(url);
        expect(statusCode, url).toBe(404);
        expect(body).not.toContain('secret"');
      }
    });

    it('is shown without the token, and nothing else is', async () => {
      await http.close();
      open(true, 'open-sesame');
      expect((await get('/')).statusCode).toBe(200);
      expect((await get('/assets/main-1a2b.js')).statusCode).toBe(200);
      expect((await get('/jobs/overview')).statusCode).toBe(403);
      expect((await get('/', { origin: 'http://elsewhere' })).statusCode).toBe(403);
    });
  });

  it('describes itself: every path and no other', async () => {
    const { openapi, paths } = await ask('GET', '/openapi.json');
    expect(openapi).toBe('3.1.0');
    const described = Object.entries<object>(paths).flatMap(([path, verbs]) =>
      Object.keys(verbs).map(
        (verb) => `${verb.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      ),
    );
    const served = Object.values<PathDefinition>(PATHS).map(
      ({ method, path }) => `${method} ${path}`,
    );
    expect(described.toSorted()).toEqual(served.toSorted());
  });
});
