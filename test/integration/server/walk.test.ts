/** Does what docs/walk.md says, in its order, and sees what it says one sees. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from 'millrace/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Finished, runCli } from '../run-cli.js';
import { killProcess, poll, TestServer } from './server-harness.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const ADDRESS = '127.0.0.1:8081';

/** A command of the page, and the lines that one sees. */
interface Step {
  readonly command: string;
  readonly seen: readonly string[];
}

function stepsOf(page: string): readonly Step[] {
  const blocks = [...page.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = '', ...seen] = part.trim().split('\n');
        return { command, seen };
      }),
  );
}

/** Whether a line of the page is one of those that were seen. */
function isSeen(line: string, output: string): boolean {
  const parts = line.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(parts.join('.*').replaceAll(' .* ', '.*')).test(output);
}

let directory: string;
let server: TestServer | null = null;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-walk-'));
});
afterAll(async () => {
  await server?.release();
  rmSync(directory, { recursive: true, force: true });
});

it('goes as the page says', async () => {
  const steps = stepsOf(readFileSync(join(root, 'docs/walk.md'), 'utf8'));
  expect(steps.length).toBeGreaterThan(12);
  const project = join(directory, 'shop');
  let savepoint = '';
  const cli = (words: readonly string[], cwd: string): Promise<Finished> =>
    runCli(words, { cwd, env: server === null ? {} : { MILLRACE_SERVER: server.url } });

  /** Tries until one sees what the page says: the job may be on its way to it. */
  async function see({ command, seen }: Step, words: readonly string[], cwd: string) {
    const mayRepeat = /^(list|status|logs|tap)$/.test(words[0] ?? '');
    const done = await poll(
      () => cli(words, cwd),
      ({ code, stdout }) =>
        !mayRepeat || (code === 0 && seen.every((line) => isSeen(line, stdout))),
    );
    expect(done, command).toMatchObject({ code: 0 });
    for (const line of seen) expect(isSeen(line, done.stdout + done.stderr), line).toBe(true);
    return done.stdout;
  }

  for (const step of steps) {
    const { command } = step;
    if (command.startsWith('kill -9')) {
      const [process_] = (await createClient({ url: server?.url ?? '' }).taskManagers())
        .taskmanagers;
      killProcess(Number(process_?.path.split('/').at(-1)));
      continue;
    }
    const [npx, name, ...words] = command.split(' ');
    expect([npx, name]).toEqual(['npx', 'millrace']);
    if (words[0] === 'server') {
      server = await TestServer.start(join(project, 'millrace-data'), ...words.slice(1));
      expect(step.seen).toEqual([`Millrace … serves http://${ADDRESS}`]);
      continue;
    }
    const given = words.map((word) => {
      if (word === ADDRESS) return server?.url ?? '';
      return word === '<savepoint>' ? savepoint : word;
    });
    const stdout = await see(step, given, words[0] === 'new' ? directory : project);
    if (words[0] === 'new') install(project);
    if (words[0] === 'stop') {
      savepoint = stdout.trim().replace('sensors has stopped with ', '');
      change(project);
    }
    if (words.includes('--detached')) {
      const client = createClient({ url: server?.url ?? '' });
      await server?.untilRunning(client, stdout.trim());
    }
  }
});

/** As `npm install` would, with this repository for the package. */
function install(project: string): void {
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules', 'millrace'));
}

/** Adds the line that the page says, once. */
function change(project: string): void {
  const path = join(project, 'job.ts');
  const code = readFileSync(path, 'utf8');
  const line = '.filter((reading) => reading.celsius > 16)';
  if (code.includes(line)) return;
  const changed = code.replace(/\.assignTimestamps\(.*\)\n/, (found) => `${found}    ${line}\n`);
  expect(changed).toContain(line);
  writeFileSync(path, changed);
}
