/**
 * Where the bundled entries of the package are. Callers: everything that starts a thread or pins the package for
 * a job bundle. Runs on: any thread.
 */

/** The bundled entries. */
export type EntryName =
  | 'index'
  | 'slot'
  | 'coordinator'
  | 'keeper'
  | 'state-reader'
  | 'process'
  | 'thread-stacks'
  | 'server'
  | 'client'
  | 'cli';

/** Threads are no modules, because they start sooner without their loader. */
const THREADS: ReadonlySet<EntryName> = new Set(['slot', 'coordinator', 'keeper', 'state-reader']);

/** The name of an entry's file. */
export function entryFile(name: EntryName): string {
  return `${name}.${THREADS.has(name) ? 'cjs' : 'js'}`;
}

/** The URL of an entry: beside this file when bundled, in `dist` when this file runs from source. */
export function entryUrl(name: EntryName): string {
  const isSource = import.meta.url.endsWith('.ts');
  const file = entryFile(name);
  return new URL(isSource ? `../../dist/${file}` : `./${file}`, import.meta.url).href;
}
