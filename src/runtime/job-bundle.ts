/**
 * Turns a job module into one JavaScript module, by esbuild. For the slots of a run packages stay external and
 * `millrace` itself is pinned to this very copy, so that all threads share one engine. A module that goes to a server
 * holds its packages; the server pins the engine. Callers: `importable-url.ts`, the command line, the server. Runs on:
 * the caller's thread.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BuildFailure, BuildOptions, BuildResult } from 'esbuild';
import { MillraceError } from '../base/errors.js';
import { entryUrl } from './entry-url.js';

/** The URL of the bundle of a TypeScript module, which is written when there is none yet. */
export async function bundledUrl(moduleUrl: string): Promise<string> {
  return (await bundledModule(moduleUrl)).url;
}

/** A module as slots import it, and what it was made of. */
export interface BundledModule {
  /** Another one whenever the code is another. */
  readonly url: string;
  /** Every file of the user's that is in it, itself included: absolute paths. */
  readonly files: readonly string[];
}

/** The bundle of a module, TypeScript or not. Throws JOB_NOT_IMPORTABLE with the place of what cannot be compiled. */
export async function bundledModule(moduleUrl: string): Promise<BundledModule> {
  const path = fileURLToPath(moduleUrl);
  const directory = cacheDirectory(path);
  const { code, files } = await bundle(path, moduleUrl, directory, FOR_SLOTS);
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 16);
  const target = join(directory, `${hash}.mjs`);
  if (!existsSync(target)) {
    // Written aside and renamed, so that another process never imports half a file.
    const aside = `${target}.${process.pid}.tmp`;
    writeFileSync(aside, code);
    renameSync(aside, target);
  }
  return { url: pathToFileURL(target).href, files };
}

/** What becomes of imports of packages. */
interface BundlePolicy {
  readonly packages: 'external' | 'bundle';
  /** Whether imports of the engine lead to this very copy. */
  readonly isPinned: boolean;
  readonly sourcesContent: boolean;
}

const FOR_SLOTS: BundlePolicy = { packages: 'external', isPinned: true, sourcesContent: false };

/**
 * The module as it goes to a server: one file that needs nothing but the engine. Throws JOB_NOT_IMPORTABLE with the
 * place of what cannot be compiled or found.
 */
export async function portableBundle(path: string): Promise<string> {
  const policy = { packages: 'bundle', isPinned: false, sourcesContent: true } as const;
  return (await bundle(path, pathToFileURL(path).href, dirname(path), policy)).code;
}

/** What the bundle of a module is called. */
export function bundleName(path: string): string {
  return basename(path).replace(/\.[cm]?[jt]sx?$/, '.mjs');
}

/** A module that has come to a server, with the engine pinned to this copy. Throws JOB_NOT_IMPORTABLE. */
export async function servedBundle(path: string): Promise<string> {
  const policy = { packages: 'bundle', isPinned: true, sourcesContent: true } as const;
  return (await bundle(path, pathToFileURL(path).href, dirname(path), policy)).code;
}

async function bundle(
  path: string,
  moduleUrl: string,
  directory: string,
  { packages, isPinned, sourcesContent }: BundlePolicy,
): Promise<{ readonly code: string; readonly files: readonly string[] }> {
  const { build } = await import('esbuild');
  const options = {
    entryPoints: [path],
    bundle: true,
    write: false,
    metafile: true,
    // Nothing is written there; the source map names its sources relative to it.
    outdir: directory,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages,
    sourcemap: 'inline',
    sourcesContent,
    logLevel: 'silent',
    define: { 'import.meta.url': JSON.stringify(moduleUrl) },
    plugins: [
      {
        name: 'millrace',
        setup: (setup) => {
          setup.onResolve({ filter: /^millrace$/ }, () => ({
            path: isPinned ? entryUrl('index') : 'millrace',
            external: true,
          }));
        },
      },
    ],
  } satisfies BuildOptions;
  let result: BuildResult<typeof options>;
  try {
    result = await build(options);
  } catch (cause) {
    throw compileError(cause, path);
  }
  const files = Object.keys(result.metafile.inputs).map((file) => resolve(file));
  return { code: result.outputFiles[0].text, files };
}

/**
 * Finds what a module, or one of those it imports, cannot be parsed for: throws JOB_NOT_IMPORTABLE with the place.
 * Node's own error of a JavaScript module names none.
 */
export async function checkSyntax(moduleUrl: string): Promise<void> {
  const path = fileURLToPath(moduleUrl);
  await bundle(path, moduleUrl, dirname(path), FOR_SLOTS);
}

/** The first of the compiler's errors, with its place. */
function compileError(cause: unknown, path: string): MillraceError {
  const [first] = isBuildFailure(cause) ? cause.errors : [];
  const reason = first?.text ?? (cause instanceof Error ? cause.message : String(cause));
  const location = first?.location ?? null;
  const where =
    location === null ? { file: path } : { file: resolve(location.file), line: location.line };
  return new MillraceError('JOB_NOT_IMPORTABLE', `The job does not compile: ${reason}`, {
    cause,
    where,
  });
}

function isBuildFailure(cause: unknown): cause is BuildFailure {
  return cause instanceof Error && 'errors' in cause && Array.isArray(cause.errors);
}

/** Beside the packages the job imports, so that bare names still resolve; else the system's place for it. */
function cacheDirectory(path: string): string {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    const packages = join(directory, 'node_modules');
    if (existsSync(packages) && tryMake(join(packages, '.cache', 'millrace'))) {
      return join(packages, '.cache', 'millrace');
    }
    if (dirname(directory) === directory) break;
  }
  const fallback = join(tmpdir(), 'millrace-bundles');
  mkdirSync(fallback, { recursive: true });
  return fallback;
}

function tryMake(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    return true;
  } catch {
    // A read-only installation: the caller looks further up.
    return false;
  }
}
