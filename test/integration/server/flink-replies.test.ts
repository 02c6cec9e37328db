/**
 * What programs that were written for Flink find in replies: every member that a real Flink gave them, of the same kind,
 * as recorded in `test/fixtures/flink/replies.json`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PathDefinition, PATHS } from '../../../src/rest/paths.js';
import { poll, TestServer } from './server-harness.js';

type Shape = string | readonly Shape[] | { readonly [name: string]: Shape };

const recorded = fileURLToPath(new URL('../../fixtures/flink/replies.json', import.meta.url));
const { replies } = JSON.parse(readFileSync(recorded, 'utf8')) as {
  readonly replies: Readonly<Record<string, Shape>>;
};
const ours = new Set(
  Object.values<PathDefinition>(PATHS)
    .filter(({ method }) => method === 'GET')
    .map(({ path }) => path),
);

/** Members that are missing or of another kind, by their place. */
function differences(shape: Shape, value: unknown, place: string): readonly string[] {
  if (typeof shape === 'string') {
    const isUnknown = shape === 'null' || value === null;
    return isUnknown || typeof value === shape || isNumber(shape, value) ? [] : [place];
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return [place];
    const [item] = shape;
    return item === undefined
      ? []
      : value.flatMap((one, index) => differences(item, one, `${place}[${index}]`));
  }
  if (typeof value !== 'object' || value === null) return [place];
  return Object.entries(shape).flatMap(([name, member]) =>
    name in value
      ? differences(member, (value as Record<string, unknown>)[name], `${place}.${name}`)
      : [`${place}.${name} is missing`],
  );
}

/** Flink writes no number as the text NaN. */
function isNumber(shape: string, value: unknown): boolean {
  return shape === 'string' && typeof value === 'number';
}

describe('replies', () => {
  let directory: string;
  let server: TestServer;
  const parts: Record<string, string> = { subtaskindex: '0', attempt: '0' };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-flink-'));
    server = await TestServer.start(join(directory, 'data'), '--uploads');
    const jobid = await server.run('endless.mjs', {
      flinkConfiguration: { 'execution.checkpointing.interval': '1h' },
    });
    const { vertices } = await server.until(jobid, ({ state }) => state === 'RUNNING');
    await server.call('takeCheckpoint', { jobid }, {});
    const { latest } = await poll(
      () => server.call<{ latest: { completed: { id: number } | null } }>('checkpoints', { jobid }),
      ({ latest: { completed } }) => completed !== null,
    );
    parts['jobid'] = jobid;
    parts['taskmanagerid'] = jobid;
    parts['vertexid'] = vertices[0]?.id ?? '';
    parts['checkpointid'] = String(latest.completed?.id);
  });

  afterAll(async () => {
    await server.release();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(Object.entries(replies).filter(([path]) => ours.has(path)))('%s', async (path, shape) => {
    const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => parts[name] ?? '');
    const { status, body } = await server.raw('GET', `/v1${filled}`);
    expect(status).toBe(200);
    expect(differences(shape, body, '')).toEqual([]);
  });
});
