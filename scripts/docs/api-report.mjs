/**
 * `docs/api-report.md`: the declarations that `src/index.ts` and `src/testing.ts` re-export, without comments, so that a change of the
 * public api shows in a review. Read from the built declarations in `dist/types`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withoutComments } from '../lib/declarations.mjs';
import { GENERATED, page } from '../lib/markdown.mjs';

export function apiReportPage(root) {
  return page(
    '# API report',
    GENERATED,
    ...entrySection(root, 'millrace', 'index.d.ts'),
    ...entrySection(root, 'millrace/client', 'client.d.ts'),
    ...entrySection(root, 'millrace/server', 'server.d.ts'),
    ...entrySection(root, 'millrace/state', 'state.d.ts'),
    ...entrySection(root, 'millrace/testing', 'testing.d.ts'),
  );
}

/** What an entry of the package offers. */
function entrySection(root, specifier, file) {
  const entry = join(root, 'dist', 'types', 'src', file);
  if (!existsSync(entry)) throw new Error('There are no declarations; run `npm run build` first.');
  const exported = exportsOf(entry)
    .map(({ name, path }) => ({ name, text: declarationOf(name, path) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return [
    `What \`import … from '${specifier}'\` offers: ${exported.length} names.`,
    ['```ts', exported.map(({ text }) => text).join('\n\n'), '```'].join('\n'),
  ];
}

/** The names that a file takes from others by `export … from` or `import`, with those files. */
function exportsOf(path) {
  return namesFrom(path, 'export');
}

function importsOf(path) {
  return namesFrom(path, 'import');
}

function namesFrom(path, keyword) {
  const text = withoutComments(readFileSync(path, 'utf8'));
  const statements = text.matchAll(
    new RegExp(`${keyword}\\s+(?:type\\s+)?\\{([^}]*)\\}\\s*from\\s*['"]([^'"]+)['"]`, 'g'),
  );
  return [...statements].flatMap(([, names, specifier]) =>
    names
      .split(',')
      .map((name) => name.trim().replace(/^type\s+/, ''))
      .filter((name) => name !== '')
      .map((name) => ({ name, path: declarationPath(path, specifier) })),
  );
}

function declarationPath(path, specifier) {
  return join(dirname(path), specifier.replace(/\.js$/, '.d.ts'));
}

/** The statements of a file that declare a name: several for overloads. */
function declarationOf(name, path) {
  const statements = statementsOf(withoutComments(readFileSync(path, 'utf8')));
  const declares = new RegExp(
    `^(?:export )?(?:declare )?(?:abstract )?(?:class|const|function|interface|type) ${name}\\b`,
  );
  const found = statements.filter((statement) => declares.test(statement));
  if (found.length > 0) return found.join('\n');
  const source = [...exportsOf(path), ...importsOf(path)].find((each) => each.name === name);
  if (source === undefined) throw new Error(`${path} does not declare ${name}.`);
  return declarationOf(name, source.path);
}

/** The compiler writes every statement from the first column on and indents what is in it. */
function statementsOf(text) {
  return text
    .split(/\n(?=(?:export|declare|import|interface|type|const|function|class|abstract)\b)/)
    .map((statement) =>
      statement
        .split('\n')
        .filter((line) => line.trim() !== '')
        .join('\n'),
    );
}
