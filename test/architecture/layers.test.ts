import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folders, root, sourceFiles, targetOf, textOf } from './source-files.js';

/** As src/README.md has them, from the bottom up; folders on one level do not import each other. */
const LEVELS: readonly (readonly string[])[] = levelsOf(textOf('src/README.md'));

/** Who may import what comes from outside: packages and the parts of Node that reach out of the thread. */
const OWNERS: Readonly<Record<string, RegExp>> = {
  acorn: /^src\/operator\/lambda-fields/,
  esbuild: /^src\/runtime\/job-bundle/,
  commander: /^src\/cli\//,
  yaml: /^src\/cli\//,
  pino: /^src\/server\/json-log\.ts$/,
  fastify: /^src\/server\//,
  zod: /^src\/cli\//,
  'node-zookeeper-client': /^src\/server\/leadership\//,
  zstddec: /^src\/connector\/parquet\//,
  flatbuffers: /^src\/checkpoint\//,
  'lz4-napi': /^native-bindings\//,
  preact: /^src\/console\//,
  'preact/hooks': /^src\/console\//,
  uplot: /^src\/console\//,
  '@dagrejs/dagre': /^src\/console\//,
  'node:fs': /^src\/(base\/node-disk|cli\/|runtime\/)/,
  'node:fs/promises': /^src\/(base\/node-disk|reporters\/log-reporter)/,
  'node:child_process': /^src\/(runtime\/|cli\/doctor-checks)/,
  'node:worker_threads': /^src\/(runtime\/|cli\/doctor-checks)/,
};
/**
 * Only reporters open a connection or a door by themselves; the server does so by fastify. The process of a job has a
 * door for servers of its own machine and user; clients that trust others than Node.js does cannot use its `fetch`.
 */
const NETWORK = /^node:(http|https|http2|net|dgram|tls|inspector|cluster)$/;

describe('layers', () => {
  it('every folder of src has a level', () => {
    expect(folders.filter((folder) => levelOf(folder) === -1)).toEqual([]);
  });

  it('folders import only from folders below them', () => {
    const wrong = sourceFiles.flatMap((file) =>
      file.imports
        .filter((specifier) => specifier.startsWith('.') && file.path.startsWith('src/'))
        .map((specifier) => targetOf(file, specifier))
        .filter((target) => target.startsWith('src/') && file.folder !== '')
        .filter((target) => folderOf(target) !== file.folder)
        .filter((target) => levelOf(folderOf(target)) >= levelOf(file.folder))
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('pages reach the engine over HTTP only: they import what is pure', () => {
    const wrong = sourceFiles
      .filter(({ folder }) => folder === 'console')
      .flatMap((file) => file.valueImports.filter((one) => one.startsWith('../')))
      .filter((specifier) => !/^\.\.\/(base|rest)\//.test(specifier));
    expect(wrong).toEqual([]);
  });

  it('relative imports name files that exist, and stay within the sources', () => {
    const wrong = sourceFiles.flatMap((file) =>
      file.imports
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => {
          const target = targetOf(file, specifier);
          return !/^(src|native-bindings)\//.test(target) || !existsSync(join(root, target));
        })
        .map((specifier) => `${file.path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('no files import each other in a circle', () => {
    const edges = new Map(
      sourceFiles.map((file) => [
        file.path,
        file.valueImports.filter((s) => s.startsWith('.')).map((s) => targetOf(file, s)),
      ]),
    );
    expect(circleIn(edges)).toEqual([]);
  });

  it('packages and the world outside of the thread are imported by their owners only', () => {
    const wrong = sourceFiles.flatMap((file) =>
      file.imports
        .filter((specifier) => !specifier.startsWith('.'))
        .filter((specifier) => !mayImport(file.path, specifier))
        .map((specifier) => `${file.path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });
});

function mayImport(path: string, specifier: string): boolean {
  if (isOwnInspector(path, specifier)) return true;
  if (NETWORK.test(specifier)) return path.startsWith('src/reporters/') || isEnd(path, specifier);
  // Browsers have none of Node's modules.
  if (path.startsWith('src/console/') && specifier.startsWith('node:')) return false;
  return OWNERS[specifier]?.test(path) ?? specifier.startsWith('node:');
}

/** Of the inspector only a session of the own process, which opens no door. */
function isOwnInspector(path: string, specifier: string): boolean {
  return path === 'src/runtime/profiling.ts' && specifier === 'node:inspector';
}

function isEnd(path: string, specifier: string): boolean {
  if (path === 'src/rest/tls-fetch.ts') return specifier === 'node:https';
  const isOfDoor = /^src\/runtime\/(adoption-door|adopted-process)\.ts$/.test(path);
  return isOfDoor && specifier === 'node:net';
}

function levelsOf(readme: string): readonly (readonly string[])[] {
  const line = /^Levels, from the bottom: (.*)\.$/m.exec(readme)?.[1] ?? '';
  return line.split(';').map((level) => level.split(',').map((name) => name.trim()));
}

function levelOf(folder: string): number {
  return LEVELS.findIndex((level) => level.includes(folder));
}

function folderOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? (parts[1] ?? '') : '';
}

/** The files of one circle, or nothing. */
function circleIn(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): readonly string[] => {
    const at = trail.indexOf(path);
    if (at !== -1) return [...trail.slice(at), path];
    if (done.has(path)) return [];
    for (const target of edges.get(path) ?? []) {
      const circle = visit(target, [...trail, path]);
      if (circle.length > 0) return circle;
    }
    done.add(path);
    return [];
  };
  for (const path of edges.keys()) {
    const circle = visit(path, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
