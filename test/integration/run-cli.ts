/** Runs the built command line as a person or a script does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const fixtures = fileURLToPath(new URL('../fixtures/jobs/', import.meta.url));
export const cliPath = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export const fixture = (name: string): string => `${fixtures}${name}`;

/** What runs still: when a test has failed, it would take time and ports from all that come after. */
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** What a command left behind. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  /** Everything written so far. */
  readonly output: { stdout: string; stderr: string };
  readonly finished: Promise<Finished>;
  /** Resolves when `text` has been written to either stream. */
  seen(text: string): Promise<void>;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The environment of the tests without what would change the command's mind. */
function cleanEnvironment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(CI|NO_COLOR|FORCE_COLOR|MILLRACE_.*|NODE_OPTIONS)$/.test(name),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

export function startCommand(
  command: string,
  words: readonly string[],
  { cwd, env = {} }: CliOptions = {},
): Started {
  const child = spawn(command, words, {
    env: cleanEnvironment(env),
    stdio: 'pipe',
    ...(cwd === undefined ? {} : { cwd }),
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  const output = { stdout: '', stderr: '' };
  const waiting: { readonly text: string; readonly resolve: () => void }[] = [];
  const look = (): void => {
    for (const { text, resolve } of waiting) {
      if (output.stdout.includes(text) || output.stderr.includes(text)) resolve();
    }
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
    look();
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  const seen = (text: string): Promise<void> =>
    new Promise((resolve) => {
      waiting.push({ text, resolve });
      look();
    });
  return { child, output, finished, seen };
}

export function startCli(words: readonly string[], options: CliOptions = {}): Started {
  return startCommand(process.execPath, [cliPath, ...words], options);
}

export function runCli(words: readonly string[], options: CliOptions = {}): Promise<Finished> {
  return startCli(words, options).finished;
}
