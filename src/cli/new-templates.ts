/**
 * The files of new projects: what all have, made here, and what each template has of its own, which lies beside the
 * bundles and in `templates` of the repository. Callers: `new-command.ts`. Runs on: the main thread. Invariant: every
 * template runs, passes its test and its type check as it is.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { entryUrl } from '../runtime/entry-url.js';

/** Names of templates, and what each is. */
export const TEMPLATES = {
  batch: 'files in, totals out, to its end',
  stream: 'events without end, windows of event time, checkpoints',
} as const;
export type Template = keyof typeof TEMPLATES;

/** A file by its path in the project. */
export type ProjectFiles = Readonly<Record<string, string>>;

/** The files of a project; `version` is that of Millrace. */
export function projectFiles(template: Template, name: string, version: string): ProjectFiles {
  return { ...commonFiles(template, name, version), ...ownFiles(template) };
}

function commonFiles(template: Template, name: string, version: string): ProjectFiles {
  const manifest = {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    scripts: {
      start: `millrace run job.ts${template === 'stream' ? ' --from latest' : ''}`,
      dev: 'millrace dev job.ts',
      preview: 'millrace preview job.ts',
      explain: 'millrace explain job.ts',
      test: 'vitest run',
      typecheck: 'tsc',
    },
    dependencies: { millrace: `^${version}` },
    devDependencies: { '@types/node': '^20.19.0', typescript: '>=5.8', vitest: '^4.1.0' },
  };
  const compiler = {
    compilerOptions: {
      target: 'es2023',
      module: 'nodenext',
      types: ['node'],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
    },
    include: ['*.ts'],
  };
  return {
    'package.json': json(manifest),
    'tsconfig.json': json(compiler),
    '.gitignore': 'node_modules/\nout/\ncheckpoints/\nsavepoints/\nmillrace-data/\nmillrace-app/\n',
    'README.md': readme(name, template),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function readme(name: string, template: Template): string {
  const first = template === 'stream' ? 'runs until Ctrl-C, and goes on from there' : 'runs it';
  return `# ${name}

\`\`\`sh
npm install
npm start            # ${first}
npm run preview      # its first rows; nothing is written
npm run dev          # run it while you write it
npm test             # the job on arrays, in memory
\`\`\`

\`job.ts\` is the job, \`job.test.ts\` its test. To have a server run it, with a console:

\`\`\`sh
npx millrace server --uploads
npx millrace run job.ts --server 127.0.0.1:8081 --detached
\`\`\`
`;
}

function ownFiles(template: Template): ProjectFiles {
  const directory = join(dirname(fileURLToPath(entryUrl('cli'))), 'templates', template);
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted();
  const files = names.filter((name) => statSync(join(directory, name)).isFile());
  return Object.fromEntries(
    files.map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
  );
}
