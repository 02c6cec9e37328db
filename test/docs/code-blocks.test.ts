/**
 * Runs the code blocks of the pages against the built package, as a reader would: ```` ```js run ```` as a file of its
 * own in an empty folder. A ```` ```text output ```` block right behind it is what it must print. The first `js` block
 * of the README is run in any case.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { codeBlocks } from '../../scripts/lib/code-blocks.mjs';
import { pages, root } from './pages.js';

const runFile = promisify(execFile);

const examples = pages.flatMap(({ path, text }) => {
  const blocks = codeBlocks(text);
  const first = blocks.find(({ language }) => language === 'js');
  return blocks.flatMap((block, index) => {
    if (!block.isRun && !(path === 'README.md' && block === first)) return [];
    const next = blocks[index + 1];
    return [
      { path, line: block.line, code: block.code, output: next?.isOutput ? next.code : null },
    ];
  });
});

describe('code blocks', () => {
  it('there are some', () => {
    expect(examples.length).toBeGreaterThan(8);
  });

  it.each(examples)('$path:$line runs', async ({ path, line, code, output }) => {
    // Below the repository, so that the name `millrace` leads to this very package.
    const folder = join(root, 'out/docs', `${path.replaceAll('/', '-')}-${line}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'index.mjs'), code);
    const env = { ...process.env, NO_COLOR: '1' };
    const call = runFile(process.execPath, ['index.mjs'], { cwd: folder, timeout: 200_000, env });
    const { stdout } = await call;
    expect(stdout.trim()).not.toBe('');
    if (output !== null) expect(stdout.trim()).toBe(output.trim());
  });
});
