/**
 * Compiles the `*.test-d.ts` files beside it and compares what the compiler says with what they
 * announce: a comment `// error: <text>` stands right above a line that must not compile, and the
 * text must be part of the message; every other line must compile. Runs on: the test's thread, with
 * the compiler as a child process.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const files = readdirSync(here).filter((name) => name.endsWith('.test-d.ts'));

interface CompilerError {
  readonly line: number;
  readonly message: string;
}

const errorsOf = new Map<string, CompilerError[]>();

/** Runs the compiler; its exit code says only that there were errors, which is what is expected. */
function compile(): Promise<string> {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', join(here, 'tsconfig.json'), '--noEmit', '--pretty', 'false'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 1 << 26 }, (_error, stdout) => {
      resolve(stdout);
    });
  });
}

function collectErrors(output: string): void {
  let last: { line: number; message: string } | null = null;
  for (const text of output.split('\n')) {
    const match = /^(.+?)\((\d+),\d+\): error TS\d+: (.*)$/.exec(text);
    if (match === null) {
      if (last !== null && /^\s/.test(text)) last.message += `\n${text}`;
      continue;
    }
    const [, file = '', line = '', message = ''] = match;
    const name = file.split(/[\\/]/).pop() ?? '';
    last = { line: Number(line), message };
    errorsOf.set(name, [...(errorsOf.get(name) ?? []), last]);
  }
}

beforeAll(async () => {
  collectErrors(await compile());
});

describe.each(files)('%s', (file) => {
  const lines = readFileSync(join(here, file), 'utf8').split('\n');
  const announced = lines.flatMap((text, index) => {
    const match = /^\s*\/\/ error: (.*)$/.exec(text);
    return match === null ? [] : [{ line: index + 2, text: match[1] ?? '' }];
  });

  it.each(announced)('line $line: $text', ({ line, text }) => {
    const messages = (errorsOf.get(file) ?? []).filter((error) => error.line === line);
    expect(messages.map(({ message }) => message).join('\n')).toContain(text);
  });

  it('has no other errors', () => {
    const expected = new Set(announced.map(({ line }) => line));
    const others = (errorsOf.get(file) ?? []).filter(({ line }) => !expected.has(line));
    expect(others).toEqual([]);
  });
});
