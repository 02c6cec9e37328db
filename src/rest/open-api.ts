/**
 * The REST interface as an OpenAPI 3.1 document, made of the table. Callers: the server's `/openapi.json`, the
 * documentation generator. Runs on: any thread; pure.
 */
import { errors } from './cluster-schemas.js';
import type { Schema } from './json-schema.js';
import { type PathDefinition, PATHS } from './paths.js';

/** The document, for the version of the package. */
export function openApiDocument(version: string): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, definition] of Object.entries<PathDefinition>(PATHS)) {
    const path = definition.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = {
      ...paths[path],
      [definition.method.toLowerCase()]: operationOf(name, definition),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version,
      description: 'Jobs of a Millrace server. Every path is also there below /v1.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: { Errors: errors },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
    security: [{}, { token: [] }],
  };
}

function operationOf(name: string, definition: PathDefinition): unknown {
  const { path, summary, query = {}, body, reply, status } = definition;
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, parameter = '']) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(query).map(([parameter, schema]) => ({
    name: parameter,
    in: 'query',
    required: false,
    schema,
  }));
  const parameters = [...inPath, ...inQuery];
  return {
    operationId: name,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: bodyOf(body) }),
    responses: {
      [status]: { description: 'As asked.', content: contentOf(reply) },
      default: {
        description: 'What is wrong, and what to do.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Errors' } } },
      },
    },
  };
}

function bodyOf(body: Schema | 'upload'): unknown {
  if (body !== 'upload') return { content: { 'application/json': { schema: body } } };
  const file = { type: 'string', format: 'binary' };
  const schema = { type: 'object', properties: { jarfile: file }, required: ['jarfile'] };
  return { required: true, content: { 'multipart/form-data': { schema } } };
}

function contentOf(reply: PathDefinition['reply']): unknown {
  if (reply === 'events') return { 'text/event-stream': { schema: { type: 'string' } } };
  if (reply === 'text') return { 'text/plain': { schema: { type: 'string' } } };
  return { 'application/json': { schema: reply } };
}
