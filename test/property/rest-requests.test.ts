/**
 * Requests made of the OpenAPI document alone, as a client that knows nothing else would make them, right ones and
 * spoiled ones: whatever is sent, the reply is one of those that the document promises.
 */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/rest/open-api.js';
import type { httpServer } from '../../src/server/http-server.js';
import { mismatch } from '../unit/rest/schema-check.js';
import { checkpointEvent } from '../unit/server/checkpointed.js';
import { fakeRest } from '../unit/server/fake-rest.js';
import { FakeWorld, settle, submissionOf } from '../unit/server/fake-world.js';

const savepoint = fileURLToPath(new URL('../fixtures/checkpoints/1/savepoint', import.meta.url));

type Json = Readonly<Record<string, unknown>>;
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly schema: Json;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> };
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, Json>> }>
  >;
}
interface Endpoint extends Operation {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';
  readonly path: string;
}

const document = JSON.parse(JSON.stringify(openApiDocument('1.2.3'))) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: { readonly Errors: Json } };
};
const endpoints: readonly Endpoint[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => {
    return { ...operation, path, method: method.toUpperCase() as Endpoint['method'] };
  }),
);
const { Errors } = document.components.schemas;
/** What a stream sends has no end to wait for. */
const answered = endpoints.filter(
  ({ responses }) =>
    !Object.values(responses).some(({ content }) => 'text/event-stream' in content),
);

const HOSTILE = [
  '',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  '%ff',
  '-1',
  '1e9',
  '9'.repeat(40),
  'NaN',
  '__proto__',
  'constructor',
  '<script>',
  '\u202e\ud83d\ude00',
  'x'.repeat(5000),
];
const hostile = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 40 }));

/** Values that a schema accepts. */
function valueOf(schema: Json): fc.Arbitrary<unknown> {
  const { anyOf, type, enum: choices, pattern } = schema;
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map((option) => valueOf(option as Json)));
  if (Array.isArray(choices)) return fc.constantFrom(...(choices as unknown[]));
  switch (type) {
    case 'string':
      return typeof pattern === 'string'
        ? fc.stringMatching(new RegExp(pattern))
        : fc.string({ minLength: Number(schema['minLength'] ?? 0), maxLength: 30 });
    case 'integer':
      return fc.integer({
        min: Number(schema['minimum'] ?? -5),
        max: Number(schema['maximum'] ?? 9),
      });
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valueOf(schema['items'] as Json), { maxLength: 3 });
    case 'object':
      return objectOf(schema);
    default:
      return fc.jsonValue();
  }
}

function objectOf(schema: Json): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const members = Object.entries(properties as Readonly<Record<string, Json>>).map(
    ([name, member]) => [name, valueOf(member)] as const,
  );
  const own = fc.record(Object.fromEntries(members), { requiredKeys: required as string[] });
  if (typeof additionalProperties !== 'object' || additionalProperties === null) return own;
  const others = fc.dictionary(fc.string({ maxLength: 9 }), valueOf(additionalProperties as Json), {
    maxKeys: 3,
  });
  return fc.tuple(own, others).map(([known, more]) => ({ ...more, ...known }));
}

/** A body, which may be anything, and whether the document allows it. */
function bodyOf({ requestBody }: Endpoint): fc.Arbitrary<string | null> {
  const schema = requestBody?.content['application/json']?.schema;
  const wrong = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.string({ maxLength: 40 }),
    fc.constant('['.repeat(50_000)),
    fc.constant('{"__proto__":{"parallelism":2}}'),
  );
  if (schema === undefined) return fc.option(wrong, { freq: 5 });
  const right = valueOf(schema);
  const spoiled = fc
    .tuple(right, fc.string({ minLength: 1, maxLength: 9 }), fc.jsonValue())
    .map(([value, name, more]) => ({ ...(value as object), [name]: more }));
  return fc.oneof(
    { arbitrary: right.map((value) => JSON.stringify(value)), weight: 4 },
    { arbitrary: spoiled.map((value) => JSON.stringify(value)), weight: 2 },
    { arbitrary: wrong, weight: 1 },
  );
}

interface Request {
  readonly endpoint: Endpoint;
  readonly url: string;
  readonly body: string | null;
  readonly type: string;
}

/** A request, of which most parts are as they should be. */
function requestOf(known: Readonly<Record<string, string>>): fc.Arbitrary<Request> {
  return fc.constantFrom(...answered).chain((endpoint) => {
    const parameters = endpoint.parameters ?? [];
    const inPath = parameters.filter((one) => one.in === 'path');
    const inQuery = parameters.filter((one) => one.in === 'query');
    const segments = inPath.map(({ name }) =>
      fc.oneof(
        { arbitrary: fc.constant(known[name] ?? name), weight: 6 },
        { arbitrary: hostile.map(segment), weight: 1 },
      ),
    );
    const query = inQuery.map(({ name, schema }) =>
      fc
        .option(fc.oneof(fc.constant(known[name] ?? ''), valueOf(schema).map(String), hostile), {
          freq: 2,
        })
        .map((value) => (value === null ? [] : [`${name}=${segment(value)}`])),
    );
    const extra = fc.constantFrom<readonly string[]>([], [], [], ['unknwon=1'], ['get=a&get=b']);
    return fc
      .record({
        parts: fc.tuple(...segments),
        query: fc.tuple(...query, extra),
        body: bodyOf(endpoint),
        type: fc.constantFrom('application/json', 'application/json', 'text/plain', ''),
        prefix: fc.constantFrom('', '/v1'),
      })
      .map(({ parts, query: pairs, body, type, prefix }) => {
        const path = inPath.reduce(
          (text, { name }, index) => text.replace(`{${name}}`, () => String(parts[index])),
          endpoint.path,
        );
        const asked = pairs.flat().join('&');
        return { endpoint, url: `${prefix}${path}${asked === '' ? '' : `?${asked}`}`, body, type };
      });
  });
}

/** As a client writes it, or as it stands where that is encoded already. */
function segment(text: string): string {
  return text.includes('%') ? text : encodeURIComponent(Buffer.from(text).toString());
}

describe('any request', () => {
  let world: FakeWorld;
  let http: ReturnType<typeof httpServer>;
  let known: Readonly<Record<string, string>>;

  beforeAll(async () => {
    world = new FakeWorld();
    const dispatcher = world.dispatcher();
    const { bundles, ...rest } = fakeRest(world, dispatcher);
    http = rest.http;
    const jobid = 'f'.repeat(32);
    await dispatcher.submit(jobid, submissionOf(2), world.module);
    await settle();
    // A checkpoint that is there, so that state can be looked into.
    world.processes[0]?.tell(checkpointEvent(savepoint));
    await settle();
    const { vertices } = JSON.parse((await http.inject({ url: `/jobs/${jobid}` })).body);
    const { id: jarid } = await bundles.add('a.mjs', Buffer.from('export {};'));
    const ids = { jobid, taskmanagerid: jobid, triggerid: jobid, jarid };
    known = {
      ...ids,
      vertexid: vertices[0].id,
      subtaskindex: '0',
      attempt: '0',
      operator: 'keeper',
      state: 'profile',
      checkpointid: '3',
    };
  });

  afterAll(async () => {
    await http.close();
    world.release();
  });

  /** What is asked of a job is done at once. */
  async function sent({ endpoint, url, body, type }: Request) {
    const reply = http.inject({
      method: endpoint.method,
      url,
      headers: { host: 'localhost', ...(body === null ? {} : { 'content-type': type }) },
      ...(body === null ? {} : { payload: body }),
    });
    const isOver = reply.then(() => true);
    while (!(await Promise.race([isOver, settle().then(() => false)]))) {
      for (const { rescaling } of world.processes)
        if (rescaling?.isOver === false) rescaling.resolve();
    }
    return reply;
  }

  it('is answered as the document says, or with what is wrong with it', async () => {
    const codes = new Set<string>();
    const answers = new Set<string>();
    await fc.assert(
      fc.asyncProperty(requestOf(known), async (request) => {
        const { statusCode, body, headers } = await sent(request);
        const { responses } = request.endpoint;
        if (statusCode < 400) {
          const content = responses[statusCode]?.content ?? {};
          const schema = content['application/json']?.['schema'] as Json | undefined;
          if (schema !== undefined) expect(mismatch(schema, JSON.parse(body))).toBeNull();
          answers.add(request.endpoint.operationId);
          return;
        }
        expect(statusCode, body).toBeLessThan(500);
        expect(headers['content-type']).toContain('application/json');
        const error = JSON.parse(body);
        expect(mismatch(Errors, error)).toBeNull();
        expect(error.code, body).toMatch(/^[A-Z]+(?:_[A-Z]+)+$/);
        codes.add(error.code);
      }),
      { numRuns: 1000 },
    );
    expect(world.defects).toEqual([]);
    expect([...answers]).toContain('checkpointState');
    // Requests that are wrong in every way that there is have been among them.
    for (const code of ['REQUEST_INVALID', 'JOB_UNKNOWN', 'PATH_UNKNOWN', 'BUNDLE_UNKNOWN']) {
      expect([...codes]).toContain(code);
    }
  });

  it('with a member or a parameter that nobody knows is refused by its name', async () => {
    const type = 'application/json';
    for (const endpoint of answered) {
      const url = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => known[name] ?? '');
      const isPosted = endpoint.requestBody?.content['application/json'] !== undefined;
      const wrong = isPosted
        ? await sent({ endpoint, url, body: '{"parallelsim":2}', type })
        : await sent({ endpoint, url: `${url}?parallelsim=2`, body: null, type });
      expect({ url, status: wrong.statusCode }).toEqual({ url, status: 400 });
      expect(JSON.parse(wrong.body)).toMatchObject({ code: 'REQUEST_INVALID' });
    }
  });
});
