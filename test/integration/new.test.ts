import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli, startCli } from './run-cli.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const execute = promisify(execFile);

describe('millrace new', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-new-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** As `npm install` would, with the packages of this repository. */
  function install(project: string): void {
    const modules = join(project, 'node_modules');
    mkdirSync(join(modules, '@types'), { recursive: true });
    symlinkSync(root, join(modules, 'millrace'));
    for (const name of ['typescript', 'vitest', '@types/node']) {
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
  }

  const tool = (project: string, path: string, ...words: readonly string[]) =>
    execute(process.execPath, [join(root, 'node_modules', path), ...words], {
      cwd: project,
      env: { PATH: process.env['PATH'], NO_COLOR: '1' },
    });

  it.each(['batch', 'stream'])('makes a %s project that runs and passes its test', async (name) => {
    const made = await runCli(['new', 'My Jobs', '--template', name], { cwd: directory });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain('cd My Jobs\n  npm install\n  npm start\n  npm test\n');
    const project = join(directory, 'My Jobs');
    const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: 'my-jobs', scripts: { test: 'vitest run' } });
    install(project);

    await tool(project, 'typescript/bin/tsc');
    const { stdout } = await tool(project, 'vitest/vitest.mjs', 'run');
    expect(stdout).toMatch(/Tests +1 passed/);

    const [, ...start] = manifest.scripts.start.split(' ');
    if (name === 'batch') {
      expect(await runCli(start, { cwd: project })).toMatchObject({ code: 0 });
      const pages = readdirSync(join(project, 'out/pages'));
      expect(pages.length).toBeGreaterThan(0);
    } else {
      const started = startCli([...start, '--json', '--param', 'rate=5000'], { cwd: project });
      await started.seen('"type":"checkpoint"');
      started.child.kill('SIGINT');
      expect(await started.finished).toMatchObject({ code: 130 });
    }
    const preview = await runCli(['preview', 'job.ts', '--limit', '2', '--param', 'rate=5000'], {
      cwd: project,
    });
    expect(preview).toMatchObject({ code: 0 });
    expect(preview.stdout).toMatch(name === 'batch' ? /│ page / : /│ sensor /);
  });

  it('changes nothing that is there, and says what is wrong', async () => {
    writeFileSync(join(directory, 'mine'), 'mine');
    const wrong = async (...words: readonly string[]) =>
      (await runCli(['new', ...words], { cwd: directory })).stderr;
    expect(await wrong('mine')).toContain('OUTPUT_EXISTS');
    expect(await wrong('.')).toContain('OUTPUT_EXISTS');
    expect(await wrong('other', '--template', 'strem')).toContain('Did you mean "stream"?');
    expect(readdirSync(directory)).toEqual(['mine']);
    mkdirSync(join(directory, 'empty/.git'), { recursive: true });
    const { code, stdout } = await runCli(['new', 'empty', '--json'], { cwd: directory });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'project', template: 'batch' });
  });
});
