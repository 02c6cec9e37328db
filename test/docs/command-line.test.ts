import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import * as exitCodes from '../../src/cli/exit-codes.js';
import { createProgram } from '../../src/cli/program.js';
import { root } from './pages.js';

const text = readFileSync(join(root, 'docs/command-line.md'), 'utf8');
const nothing = async (): Promise<void> => {};
const program: Command = createProgram('0', {
  run: nothing,
  explain: nothing,
  dev: nothing,
  preview: nothing,
  server: nothing,
  create: nothing,
  doctor: nothing,
  completions: nothing,
  state: nothing,
});
/** With those below others, by their names and what stands before them. */
const commands = program.commands.flatMap((command) => [
  { name: command.name(), command },
  ...command.commands.map((below) => {
    return { name: `${command.name()} ${below.name()}`, command: below };
  }),
]);
const options = [program, ...commands.map(({ command }) => command)].flatMap((command) =>
  command.options.flatMap(({ short, long }) => [short, long]),
);

describe('docs/command-line.md', () => {
  it('names every command', () => {
    const missing = commands
      .map(({ name }) => name)
      .filter((name) => !name.endsWith(' help') && !text.includes(`\`${name}`));
    expect(missing).toEqual([]);
  });

  it('names every flag', () => {
    const missing = options.filter((flag) => flag !== undefined && !text.includes(`\`${flag}`));
    expect([...new Set(missing)]).toEqual([]);
  });

  it('names no flag that there is not', () => {
    const known = new Set(options.concat('-h', '--help'));
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
