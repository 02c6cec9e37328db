/**
 * The REST interface over HTTP: serves the table of paths, with and without `/v1`, checks every request against it
 * before a handler sees it, and answers errors. Callers: `server.ts`. Runs on: the server's thread. Invariant: nothing
 * that a client sends is used before its host, token, size and shape have been checked.
 */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { MillraceError } from '../base/errors.js';
import { nearestName } from '../base/nearest-name.js';
import { openApiDocument } from '../rest/open-api.js';
import type { Schema } from '../rest/json-schema.js';
import { type PathDefinition, PATHS } from '../rest/paths.js';
import { checkValue } from '../rest/schema-validation.js';
import type { ConsoleFiles } from './console-files.js';
import type { Handlers, TextHandlers } from './handlers.js';
import { errorBody, type FoundWrong, requestError, statusOf } from './http-errors.js';
import { multipartFile, type UploadedFile } from './multipart-file.js';
import { type GuardOptions, guardRequest } from './request-guard.js';

/** Bounds of bodies. */
const JSON_BYTES_MAX = 1024 * 1024;
const UPLOAD_BYTES_MAX = 64 * 1024 * 1024;
/** As long as the longest id of a bundle. */
const PARAMETER_CHARS_MAX = 200;

/** What is served. */
export interface HttpServerOptions {
  readonly handlers: Handlers & TextHandlers;
  readonly guard: GuardOptions;
  readonly version: string;
  /** The pages for browsers. */
  readonly console: ConsoleFiles;
  /** Follows events, and what is watched, until the client leaves. Throws REQUEST_INVALID, JOB_UNKNOWN. */
  streamEvents(reply: FastifyReply, watch: string | undefined): void;
}

/** A call as the handlers take it; that it fits the table has been checked. */
type Answer = (call: {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly upload: UploadedFile | null;
}) => unknown;

/** The server, not yet listening. */
export function httpServer(options: HttpServerOptions) {
  const { handlers, guard, version, streamEvents } = options;
  const http = Fastify({
    bodyLimit: JSON_BYTES_MAX,
    forceCloseConnections: true,
    // Each path is there once, since every one takes a while to be made.
    rewriteUrl: ({ url = '/' }) => url.replace(/^\/v1(?=\/)/, ''),
    routerOptions: { maxParamLength: PARAMETER_CHARS_MAX },
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
  const answers: Readonly<Record<string, Answer | undefined>> = {
    ...(handlers as Readonly<Record<string, Answer>>),
    openApi: () => openApiDocument(version),
  };
  for (const [name, definition] of Object.entries<PathDefinition>(PATHS)) {
    addPath(http, definition, answers[name] ?? null, streamEvents);
  }
  addConsole(http, options.console);
  return http;
}

function addPath(
  http: FastifyInstance,
  { method, path, query = {}, body, reply: form, status }: PathDefinition,
  answer: Answer | null,
  streamEvents: HttpServerOptions['streamEvents'],
): void {
  const isUpload = body === 'upload';
  const querystring = { type: 'object', properties: query, additionalProperties: false };
  http.route({
    method,
    url: path,
    schema: { querystring, ...(body === undefined || isUpload ? {} : { body }) },
    ...(isUpload ? { bodyLimit: UPLOAD_BYTES_MAX } : {}),
    preValidation: async (request) => {
      // Where everything may be left out, so may the body.
      request.body ??= {};
    },
    handler: async (request, reply) => {
      const { params, query: asked, body: given } = request;
      if (answer === null) return streamEvents(reply, (asked as { watch?: string }).watch);
      const upload = isUpload ? uploadIn(request) : null;
      const value = await answer({ params, query: asked, body: given, upload });
      if (form === 'text') return reply.type('text/plain; charset=utf-8').send(value);
      return reply.code(status).type('application/json').send(JSON.stringify(value));
    },
  });
}

function addConsole(http: FastifyInstance, files: ConsoleFiles): void {
  const config = { isPublic: true };
  const send = (request: FastifyRequest, reply: FastifyReply, path: string): FastifyReply => {
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

function answerErrors(http: FastifyInstance): void {
  const fail = (reply: FastifyReply, error: unknown): FastifyReply =>
    reply
      .code(statusOf(error))
      .type('application/json')
      .send(JSON.stringify(errorBody(error)));
  http.setErrorHandler((error: FoundWrong, _, reply) => {
    if (MillraceError.is(error)) return fail(reply, error);
    return fail(reply, requestError(error) ?? error);
  });
  http.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.originalUrl.split('?');
    return fail(reply, unknownPath(request.method, path));
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
