/** The source files as the architecture tests see them. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  readonly path: string;
  /** First folder below `src`, '' for files directly in it. */
  readonly folder: string;
  readonly text: string;
  readonly lines: readonly string[];
}

export function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    return statSync(join(root, path)).isDirectory() ? filesBelow(path) : [path];
  });
}

export const sourceFiles: readonly SourceFile[] = filesBelow('src')
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const parts = relative('src', path).split('/');
    return {
      path,
      folder: parts.length > 1 ? (parts[0] ?? '') : '',
      text,
      lines: text.split('\n'),
    };
  });

/** The code of a file without comments and string contents, for bans; line numbers are kept. */
export function codeOf(file: SourceFile): string {
  return file.text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`\\])\/\/[^\n]*/g, '$1');
}
