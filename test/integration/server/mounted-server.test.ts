/** A server inside programs of three kinds, behind a prefix and what they ask of those who come. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Fastify from 'fastify';
import { createClient } from 'millrace/client';
import { mountServer, type MountedServer } from 'millrace/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fixture } from '../run-cli.js';
import { poll } from './server-harness.js';

describe('a mounted server', () => {
  let directory: string;
  let mounted: MountedServer;
  const closing: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-mounted-'));
    mounted = await mountServer({ dataDirectory: join(directory, 'data'), prefix: '/millrace' });
  });

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await mounted.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function listening(answer: RequestListener): Promise<string> {
    const server: Server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      return closed;
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('runs a job, which REST and the console show to those who are let through', async () => {
    const url = await listening((request, response) => {
      if (request.headers.authorization !== 'Bearer admin') response.writeHead(401).end('no');
      else if (request.url?.startsWith('/millrace/') === true) mounted.handler(request, response);
      else response.end('the application');
    });
    const jobid = await mounted.submit(pathToFileURL(fixture('endless.mjs')));
    const client = createClient({ url: `${url}/millrace`, token: 'admin' });
    await poll(
      () => client.job({ jobid }),
      ({ state }) => state === 'RUNNING',
    );
    await client.cancelJob({ jobid });
    await poll(
      () => client.jobStatus({ jobid }),
      ({ status }) => status === 'CANCELED',
    );

    const headers = { authorization: 'Bearer admin' };
    expect((await fetch(`${url}/millrace/jobs`)).status).toBe(401);
    expect(await (await fetch(url, { headers })).text()).toBe('the application');
    const page = await (await fetch(`${url}/millrace/`, { headers })).text();
    const [, script = ''] = /src="(\.\/assets\/[^"]+)"/.exec(page) ?? [];
    expect((await fetch(new URL(script, `${url}/millrace/`), { headers })).status).toBe(200);
    const foreign = { ...headers, origin: 'https://elsewhere.example' };
    expect((await fetch(`${url}/millrace/jobs`, { headers: foreign })).status).toBe(403);
  });

  it('answers hijacked routes of Fastify, whatever it is called', async () => {
    const app = Fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_, __, done) => done(null));
    app.all('/millrace/*', (request, reply) => {
      reply.hijack();
      mounted.handler(request.raw, reply.raw);
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    closing.push(() => app.close());
    const headers = { host: 'jobs.example' };
    const { statusCode, body } = await app.inject({ url: '/millrace/v1/overview', headers });
    expect({ statusCode, ...JSON.parse(body) }).toMatchObject({ statusCode: 200, taskmanagers: 0 });
    const unknown = await fetch(`${url}/millrace/jars/x/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"parallelsim":2}',
    });
    expect(await unknown.json()).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('says what is wrong with a job, and keeps nothing of it', async () => {
    const url = await listening((request, response) => mounted.handler(request, response));
    const submit = (name: string) => mounted.submit(fixture(name));
    await expect(submit('nothing.ts')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    const client = createClient({ url: `${url}/millrace` });
    expect(await client.jobs()).toEqual({ jobs: [] });
    expect((await client.listJars()).files).toEqual([]);
  });

  it('refuses options that it does not know, and a directory that another server has', async () => {
    const dataDirectory = join(directory, 'data');
    const wrong = { dataDirectory, prefx: '/x' };
    await expect(mountServer(wrong)).rejects.toMatchObject({
      code: 'OPTION_UNKNOWN',
      advice: expect.stringContaining('prefix'),
    });
    await expect(mountServer({ dataDirectory, slots: 0 })).rejects.toThrow('slots is 0');
    for (const [name, value] of [
      ['dataDirectory', ''],
      ['admission', 'queu'],
      ['uploads', 'yes'],
      ['prefix', 'millrace'],
      ['logs', { bytesMax: 0, files: 1 }],
      ['settings', []],
      ['onDefect', 'warn'],
    ] as const) {
      const options = { dataDirectory, [name]: value } as unknown as Parameters<
        typeof mountServer
      >[0];
      await expect(mountServer(options)).rejects.toMatchObject({
        code: 'OPTION_INVALID',
        message: expect.stringContaining(`option "${name}" is`),
      });
    }
    await expect(mountServer({ dataDirectory })).rejects.toMatchObject({ code: 'SERVER_RUNNING' });
  });
});
