/** The source files as the architecture tests see them. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  readonly path: string;
  /** First folder below `src`, '' for files directly in it. */
  readonly folder: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** The modules it imports or re-exports, statically or not, as written. */
  readonly imports: readonly string[];
  /** Those of them that are there when the program runs, so without types. */
  readonly valueImports: readonly string[];
}

export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

export function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name !== 'node_modules')
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      return statSync(join(root, path)).isDirectory() ? filesBelow(path) : [path];
    });
}

export const sourceFiles: readonly SourceFile[] = ['src', 'native-bindings']
  .flatMap(filesBelow)
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'))
  .map((path) => {
    const text = textOf(path);
    const parts = relative('src', path).split('/');
    const isTop = parts.length === 1 || path.startsWith('native-bindings/');
    return {
      path,
      folder: isTop ? '' : (parts[0] ?? ''),
      text,
      lines: text.split('\n'),
      imports: importsOf(withoutComments(text)),
      valueImports: importsOf(withoutTypeImports(withoutComments(text))),
    };
  });

/** Every folder directly below `src`. */
export const folders: readonly string[] = [
  ...new Set(sourceFiles.map((file) => file.folder).filter((folder) => folder !== '')),
];

/** The path of the file that a relative import of `file` means. */
export function targetOf(file: SourceFile, specifier: string): string {
  const path = normalize(join(dirname(file.path), specifier)).replace(/\.js$/, '.ts');
  return existsSync(join(root, `${path}x`)) ? `${path}x` : path;
}

/** The text without comments; line numbers are kept. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`\\])\/\/[^\n]*/g, '$1');
}

function withoutTypeImports(code: string): string {
  return code.replace(/^(?:import|export) type [^;]*;/gm, '');
}

function importsOf(code: string): readonly string[] {
  const named =
    /^(?:import|export)\s[^;'"]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;
  return [...code.matchAll(named)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
