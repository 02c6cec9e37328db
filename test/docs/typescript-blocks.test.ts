/** Compiles the `ts` blocks of the pages against the public api, as files of their own. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { codeBlocks } from '../../scripts/lib/code-blocks.mjs';
import { pages, root } from './pages.js';

const folder = join(root, 'out/docs-types');

/** The declarations of the api are no program. */
const blocks = pages
  .filter(({ path }) => path !== 'docs/api-report.md')
  .flatMap(({ path, text }) =>
    codeBlocks(text)
      .filter(({ language }) => language === 'ts')
      .map(({ code, line }) => ({ name: `${path.replaceAll('/', '-')}-${line}.ts`, code })),
  );

it('ts blocks compile', async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, code } of blocks) writeFileSync(join(folder, name), code);
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { noUnusedLocals: false },
      include: ['*.ts'],
      exclude: [],
    }),
  );
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const said = await new Promise<string>((resolve) => {
    const args = [compiler, '-p', folder, '--pretty', 'false'];
    execFile(process.execPath, args, { cwd: root }, (_error, stdout) => resolve(stdout));
  });
  expect(blocks.length).toBeGreaterThan(0);
  expect(said).toBe('');
});
