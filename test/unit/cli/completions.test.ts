import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { completions } from '../../../src/cli/completions.js';
import { createProgram, SHELLS } from '../../../src/cli/program.js';

const nothing = async (): Promise<void> => {};
const actions = new Proxy({}, { get: () => nothing }) as Parameters<typeof createProgram>[1];
const program = createProgram('0', actions);
const isInstalled = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

/** What bash offers behind these words, the last of which is being written. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `${completions(program, 'bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _millrace; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const run = spawnSync('bash', ['-c', script, 'bash', 'millrace', ...words], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  return run.stdout.split('\n').filter((line) => line !== '');
}

describe.skipIf(!isInstalled('bash'))('completions of bash', () => {
  it('offer commands, those below others, and the flags of each', () => {
    expect(offered('che')).toEqual(['checkpoint']);
    expect(offered('state', 'd')).toEqual(['diff']);
    expect(offered('run', '--par')).toEqual(['--parallelism', '--param']);
    expect(offered('-m', 'host', 'logs', '--f')).toEqual(['--follow']);
    expect(offered('state', 'diff', 'here', '--sam')).toEqual(['--samples']);
    // The file of a job, which bash completes itself.
    expect(offered('run', 'fli')).toEqual([]);
  });

  it('know every command', () => {
    const names = program.commands.map((command) => command.name());
    expect(offered('').toSorted()).toEqual(names.toSorted());
  });
});

describe('completions of every shell', () => {
  it.each(SHELLS)('name every command and long flag for %s', (shell) => {
    const text = completions(program, shell);
    const flags = [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)]
      .flatMap(({ options }) => options)
      .flatMap(({ long }) => (long === undefined || long === null ? [] : [long.slice(2)]));
    const missing = flags.filter((flag) => !new RegExp(`(--|-l )${flag}\\b`).test(text));
    expect(missing).toEqual([]);
  });

  it.each(SHELLS.filter(isInstalled))('can be read by %s', (shell) => {
    const run = spawnSync(shell, ['-n'], { input: completions(program, shell), encoding: 'utf8' });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
  });
});
