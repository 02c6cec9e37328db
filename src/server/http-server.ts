/**
 * The REST interface over HTTP: serves the table of paths, with and without `/v1`, checks every request against it
 * before a handler sees it, and answers errors. Callers: `server.ts`. Runs on: the server's thread. Invariant: nothing
 * that a client sends is used before its host, token, size and shape have been checked.
 */
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import { MillraceError } from '../base/errors.js';
import { nearestName } from '../base/nearest-name.js';
import type { Health } from '../rest/cluster-schemas.js';
import { openApiDocument } from '../rest/open-api.js';
import type { Schema } from '../rest/json-schema.js';
import type { ParamsOf, QueryOf } from '../rest/path-types.js';
import { type PathDefinition, PATHS } from '../rest/paths.js';
import { checkValue } from '../rest/schema-validation.js';
import type { ConsoleFiles } from './console-files.js';
import type { Handlers, TextHandlers } from './handlers.js';
import { errorBody, type FoundWrong, requestError, statusOf } from './http-errors.js';
import { multipartFile, type UploadedFile } from './multipart-file.js';
import { type RestTls, tlsInvalid } from './rest-tls.js';
import { type GuardOptions, guardRequest } from './request-guard.js';

/** Bounds of bodies. */
const JSON_BYTES_MAX = 1024 * 1024;
const UPLOAD_BYTES_MAX = 64 * 1024 * 1024;
/** As long as the longest id of a bundle. */
const PARAMETER_CHARS_MAX = 200;

/** A request and its reply as Node.js has them: `IncomingMessage` and `ServerResponse`. */
export type RawRequest = FastifyRequest['raw'];
export type RawReply = FastifyReply['raw'];

/** What is answered by a server that leads. */
export interface Served {
  readonly handlers: Handlers & TextHandlers;
  /** Follows events, and what is watched, until the client leaves. Throws REQUEST_INVALID, JOB_UNKNOWN. */
  streamEvents(reply: FastifyReply, watch: string | undefined): void;
  /** Follows the records of a job until the client leaves. Rejects with why there are none. */
  streamTap(
    reply: FastifyReply,
    call: { readonly params: ParamsOf<'tap'>; readonly query: QueryOf<'tap'> },
  ): Promise<void>;
}

/** What is served. */
export interface HttpServerOptions {
  /** Null while the server stands by. */
  readonly served: () => Served | null;
  readonly health: () => Health;
  readonly guard: GuardOptions;
  readonly version: string;
  /** The pages for browsers. */
  readonly console: ConsoleFiles;
  /** Null for a server that speaks no TLS. */
  readonly tls?: RestTls | null;
}

/** A call as the handlers take it; that it fits the table has been checked. */
type Answer = (call: {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly upload: UploadedFile | null;
  readonly reply: FastifyReply;
  /** As the client has written it. */
  readonly url: string;
}) => unknown;

/** The server, not yet listening. */
export function httpServer(options: HttpServerOptions): FastifyInstance {
  const { guard, version, health, served, tls = null } = options;
  const http = fastifyOver(tls, {
    bodyLimit: JSON_BYTES_MAX,
    forceCloseConnections: true,
    // Each path is there once, since every one takes a while to be made.
    rewriteUrl: ({ url = '/' }) => url.replace(/^\/v1(?=\/)/, ''),
    routerOptions: { maxParamLength: PARAMETER_CHARS_MAX },
    // Those of its own, which come before any of ours are asked.
    frameworkErrors: (error, _, reply) => {
      answerError(reply, requestError(error, PARAMETER_CHARS_MAX) ?? error);
    },
  });
  http.setValidatorCompiler(({ schema, httpPart }) => {
    const what = httpPart === 'body' ? 'body' : 'query';
    return (value: unknown) => {
      checkValue(schema as Schema, value, what);
      return true;
    };
  });
  // The pages of the console hold nothing that is secret, and ask for the token themselves.
  http.addHook('onRequest', async ({ headers, routeOptions }) => {
    const config = routeOptions.config as { readonly isPublic?: boolean } | undefined;
    guardRequest(headers, config?.isPublic === true ? { ...guard, token: null } : guard);
  });
  http.addHook('onSend', async (_, reply, payload) => {
    reply.header('x-content-type-options', 'nosniff');
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    return payload;
  });
  takeBodies(http);
  answerErrors(http);
  for (const [name, definition] of Object.entries<PathDefinition>(PATHS)) {
    addPath(http, name, definition, (call) => {
      if (name === 'health') return health();
      const now = served();
      if (now === null) throw notLeader(call.reply, call.url, health());
      return answerOf(name, now, version)?.(call);
    });
  }
  addConsole(http, options);
  return http;
}

/** Throws OPTION_INVALID for a key and a certificate that cannot be used. */
function fastifyOver(tls: RestTls | null, options: FastifyServerOptions): FastifyInstance {
  if (tls === null) return Fastify(options);
  try {
    // Requests and replies are the same ones over TLS.
    return Fastify({ ...options, https: tls } as FastifyServerOptions);
  } catch (cause) {
    throw tlsInvalid(cause);
  }
}

function answerOf(name: string, served: Served, version: string): Answer | undefined {
  if (name === 'openApi') return () => openApiDocument(version);
  if (name === 'events') {
    return ({ query, reply }) => served.streamEvents(reply, (query as { watch?: string }).watch);
  }
  if (name === 'tap') {
    return ({ reply, params, query }) =>
      served.streamTap(reply, {
        params: params as ParamsOf<'tap'>,
        query: query as QueryOf<'tap'>,
      });
  }
  return (served.handlers as Readonly<Record<string, Answer>>)[name];
}

function addPath(
  http: FastifyInstance,
  name: string,
  { method, path, query = {}, body, reply: form, status }: PathDefinition,
  answer: Answer,
): void {
  const isUpload = body === 'upload';
  const querystring = { type: 'object', properties: query, additionalProperties: false };
  http.route({
    method,
    url: path,
    config: { isPublic: name === 'health' },
    schema: { querystring, ...(body === undefined || isUpload ? {} : { body }) },
    ...(isUpload ? { bodyLimit: UPLOAD_BYTES_MAX } : {}),
    preValidation: async (request) => {
      // Where everything may be left out, so may the body.
      request.body ??= {};
    },
    handler: async (request, reply) => {
      const { params, query: asked, body: given, originalUrl } = request;
      const upload = isUpload ? uploadIn(request) : null;
      const call = { params, query: asked, body: given, upload, reply, url: originalUrl };
      const value = await answer(call);
      if (form === 'events') return value;
      if (form === 'text') return reply.type('text/plain; charset=utf-8').send(value);
      return reply.code(status).type('application/json').send(JSON.stringify(value));
    },
  });
}

/** Names the leader where it is known, also for clients that take the address from the reply. */
function notLeader(reply: FastifyReply, url: string, { leader }: Health): MillraceError {
  if (leader !== null) reply.header('location', `${leader}${url}`);
  return new MillraceError('NOT_LEADER', 'This server stands by, and another one leads.', {
    advice:
      leader === null
        ? 'No leader is known at the moment; ask again soon.'
        : `Ask the leader, which is at ${leader}.`,
  });
}

function addConsole(http: FastifyInstance, options: HttpServerOptions): void {
  const { console: files, health, served } = options;
  const config = { isPublic: true };
  const send = (request: FastifyRequest, reply: FastifyReply, path: string): FastifyReply => {
    if (served() === null) {
      const error = notLeader(reply, request.originalUrl, health());
      if (!reply.hasHeader('location')) throw error;
      return reply.code(307).send();
    }
    const mayZip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    const { headers, content } = files.get(path, mayZip);
    return reply.headers(headers).send(content);
  };
  http.get('/', { config }, (request, reply) => send(request, reply, 'index.html'));
  http.get('/assets/:file', { config }, (request, reply) => {
    const { file } = request.params as { readonly file: string };
    return send(request, reply, `assets/${file}`);
  });
}

/** JSON, which may be empty, and multipart forms; nothing else. */
function takeBodies(http: FastifyInstance): void {
  const parseJson = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    (request: FastifyRequest, body: string, done) => {
      if (body.trim() === '') done(null, {});
      else parseJson(request, body, done);
    },
  );
  http.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (_, body, done) => {
    done(null, body);
  });
}

function uploadIn({ headers, body }: FastifyRequest): UploadedFile {
  if (Buffer.isBuffer(body)) return multipartFile(headers['content-type'] ?? '', body);
  throw new MillraceError('REQUEST_INVALID', 'An upload is a multipart form.', {
    advice: 'Send the file as curl does: -F jarfile=@job.mjs.',
  });
}

function answerError(reply: FastifyReply, error: unknown): FastifyReply {
  return reply
    .code(statusOf(error))
    .type('application/json')
    .send(JSON.stringify(errorBody(error)));
}

function answerErrors(http: FastifyInstance): void {
  http.setErrorHandler((error: FoundWrong, _, reply) => {
    if (MillraceError.is(error)) return answerError(reply, error);
    return answerError(reply, requestError(error, PARAMETER_CHARS_MAX) ?? error);
  });
  http.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.originalUrl.split('?');
    return answerError(reply, unknownPath(request.method, path));
  });
}

function unknownPath(method: string, path: string): MillraceError {
  const known = Object.values<PathDefinition>(PATHS).map((one) => `${one.method} ${one.path}`);
  const asked = `${method} ${path.replace(/^\/v1(?=\/)/, '')}`;
  const near = nearestName(asked, known);
  return new MillraceError('PATH_UNKNOWN', `There is no ${method} ${path}.`, {
    advice: near === null ? 'GET /openapi.json lists all paths.' : `Did you mean ${near}?`,
  });
}
