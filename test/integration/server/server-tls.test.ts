/** A server that speaks TLS, with certificates that are made for the test. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient, tlsFetch, type TlsOptions } from 'millrace/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fixture, startCli } from '../run-cli.js';
import { TestServer } from './server-harness.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.log('TLS is not tested: there is no openssl to make certificates with.');

describe.skipIf(!hasOpenssl)('a server that speaks TLS', () => {
  let directory: string;
  const servers: TestServer[] = [];
  const at = (name: string): string => join(directory, name);
  const pem = (name: string): string => readFileSync(at(name), 'utf8');
  const openssl = (...words: readonly string[]): unknown =>
    execFileSync('openssl', words, { cwd: directory, stdio: 'pipe' });

  /** A certificate that our own authority has signed. */
  function certify(name: string, extension: string): void {
    writeFileSync(at(`${name}.ext`), extension);
    const subject = ['-nodes', '-newkey', 'rsa:2048', '-subj', `/CN=${name}`];
    openssl('req', ...subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`];
    openssl('x509', '-req', ...signed, ...files);
  }

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
    const ca = ['-x509', '-nodes', '-newkey', 'rsa:2048', '-days', '2', '-subj', '/CN=test'];
    openssl('req', ...ca, '-keyout', 'ca.key', '-out', 'ca.pem');
    certify('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost');
    certify('client', 'extendedKeyUsage=clientAuth');
    writeFileSync(at('client-both.pem'), `${pem('client.pem')}${pem('client.key')}`);
    const store = ['-export', '-inkey', 'server.key', '-in', 'server.pem', '-out', 'server.p12'];
    openssl('pkcs12', ...store, '-passout', 'pass:open-sesame');
  });
  afterEach(() => Promise.all(servers.splice(0).map((one) => one.release())));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const settings = (values: Readonly<Record<string, string>>): readonly string[] =>
    Object.entries({ enabled: 'true', ...values }).flatMap(([key, value]) => [
      '-D',
      `security.ssl.rest.${key}=${value}`,
    ]);

  async function begin(values: Readonly<Record<string, string>>): Promise<TestServer> {
    const data = mkdtempSync(at('data-'));
    const server = await TestServer.start(data, '--uploads', ...settings(values));
    servers.push(server);
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    return server;
  }

  const clientOf = ({ url }: TestServer, options: TlsOptions): Client =>
    createClient({ url, fetch: tlsFetch(options) });

  async function cli(...words: readonly string[]): Promise<{ code: number | null; text: string }> {
    const { code, stdout, stderr } = await startCli(words).finished;
    return { code, text: `${stdout}${stderr}` };
  }

  it('is reached by clients and commands that trust its authority, and by no others', async () => {
    const server = await begin({ key: at('server.key'), certificate: at('server.pem') });
    const { url } = server;
    const client = clientOf(server, { ca: pem('ca.pem') });
    const jarid = await client.upload('endless.mjs', readFileSync(fixture('endless.mjs'), 'utf8'));
    const { jobid } = await client.runJar({ jarid }, {});
    for await (const { type } of client.events()) {
      if (type === 'jobs') break;
    }
    const listed = await cli('list', '--server', url, '--ca-file', at('ca.pem'));
    expect(listed).toMatchObject({ code: 0, text: expect.stringContaining('endless') });
    await client.cancelJob({ jobid });

    await expect(createClient({ url }).overview()).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
    });
    const stranger = clientOf(server, { ca: pem('client.pem') });
    await expect(stranger.overview()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(await cli('list', '--server', url)).toMatchObject({
      text: expect.stringContaining('SERVER_UNREACHABLE'),
    });
    const plain = createClient({ url: url.replace('https', 'http') });
    await expect(plain.overview()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(await cli('list', '--server', url, '--ca-file', at('none.pem'))).toMatchObject({
      text: expect.stringContaining('FILE_UNREADABLE'),
    });
  });

  it('asks clients for a certificate, if so told', async () => {
    const server = await begin({
      keystore: at('server.p12'),
      'key-password': 'open-sesame',
      'authentication-enabled': 'true',
      truststore: at('ca.pem'),
    });
    const ca = pem('ca.pem');
    const own = { cert: pem('client.pem'), key: pem('client.key') };
    expect(await clientOf(server, { ca, ...own }).health()).toMatchObject({ status: 'leader' });
    await expect(clientOf(server, { ca }).health()).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
    });
    const both = ['--ca-file', at('ca.pem'), '--cert-file', at('client-both.pem')];
    expect(await cli('list', '--server', server.url, ...both)).toMatchObject({ code: 0 });
  });

  it.each([
    ['without a key', {}, /no key with a certificate/],
    ['with half of one', { certificate: 'server.pem' }, /no key with a certificate/],
    ['with a key of another', { certificate: 'server.pem', key: 'client.key' }, /cannot be used/],
    ['with a wrong password', { keystore: 'server.p12', 'key-password': '!' }, /cannot be used/],
    ['with a file that is not there', { keystore: 'none.p12' }, /FILE_UNREADABLE/],
    [
      'that asks for certificates of nobody',
      { keystore: 'server.p12', 'authentication-enabled': 'true' },
      /trusts nobody/,
    ],
  ] as const)('does not start %s', async (_, values, reason) => {
    const named = Object.entries(values).map(([key, value]) => [
      key,
      /\.\w+$/.test(value) ? at(value) : value,
    ]);
    const { code, text } = await cli(
      ...['server', '--port', '0', '--data', at('unused'), ...settings(Object.fromEntries(named))],
    );
    expect(code).not.toBe(0);
    expect(text).toMatch(reason);
    expect(text).not.toContain('open-sesame');
  });
});
