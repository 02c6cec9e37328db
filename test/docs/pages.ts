/** The Markdown pages of the repository, for the tests of this folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Page {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

function markdownIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => (folder === '.' ? name : `${folder}/${name}`));
}

export const pages: readonly Page[] = ['.', 'docs', 'docs/decisions', 'src', 'bench']
  .flatMap(markdownIn)
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
