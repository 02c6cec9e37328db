import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import * as exitCodes from '../../src/cli/exit-codes.js';
import { createProgram } from '../../src/cli/program.js';
import { root } from './pages.js';

const text = readFileSync(join(root, 'docs/command-line.md'), 'utf8');
const nothing = async (): Promise<void> => {};
const program: Command = createProgram('0', { run: nothing, explain: nothing, doctor: nothing });

describe('docs/command-line.md', () => {
  it('names every command', () => {
    const missing = program.commands
      .map((command) => command.name())
      .filter((name) => !text.includes(`\`${name}`));
    expect(missing).toEqual([]);
  });

  it('names every flag', () => {
    const flags = [program, ...program.commands].flatMap((command) =>
      command.options.flatMap(({ short, long }) => [short, long]),
    );
    const missing = flags.filter((flag) => flag !== undefined && !text.includes(`\`${flag}`));
    expect([...new Set(missing)]).toEqual([]);
  });

  it('names no flag that there is not', () => {
    const known = new Set(
      [program, ...program.commands]
        .flatMap((command) => command.options.flatMap(({ short, long }) => [short, long]))
        .concat('-h', '--help'),
    );
    const named = [...text.matchAll(/`(--?[A-Za-z-]+)/g)].map((match) => match[1]);
    expect(named.filter((flag) => !known.has(flag))).toEqual([]);
  });

  it('names every exit code', () => {
    const missing = Object.values(exitCodes).filter(
      (code) => typeof code === 'number' && !text.includes(`\n| ${code} |`),
    );
    expect(missing).toEqual([]);
  });
});
