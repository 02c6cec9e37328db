/**
 * Where the bundled entries of the package are. Callers: everything that starts a thread or pins the package for
 * a job bundle. Runs on: any thread.
 */

/** The bundled entries. */
export type EntryName = 'index' | 'slot' | 'coordinator' | 'process' | 'cli';

/** The URL of an entry: beside this file when bundled, in `dist` when this file runs from source. */
export function entryUrl(name: EntryName): string {
  const isSource = import.meta.url.endsWith('.ts');
  return new URL(isSource ? `../../dist/${name}.js` : `./${name}.js`, import.meta.url).href;
}
