import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { addHelpTexts } from '../../../src/cli/help-texts.js';
import { createProgram } from '../../../src/cli/program.js';

interface Call {
  readonly command: string;
  readonly module: string | null;
  readonly options: object;
}

async function parse(...words: string[]) {
  const calls: Call[] = [];
  let output = '';
  const note =
    (command: string) =>
    async (module: string, options: object): Promise<void> => {
      calls.push({ command, module, options });
    };
  const program = createProgram('1.2.3', {
    run: note('run'),
    explain: note('explain'),
    dev: note('dev'),
    preview: note('preview'),
    create: async (module, options) => void calls.push({ command: 'new', module, options }),
    completions: async () => {},
    server: async (options) => void calls.push({ command: 'server', module: null, options }),
    doctor: async (options) => void calls.push({ command: 'doctor', module: null, options }),
    state: async ({ command, options, ...call }) =>
      void calls.push({ command: `state ${command}`, module: call.path, options }),
  });
  addHelpTexts(program);
  for (const command of [program, ...program.commands]) {
    command.configureOutput({
      writeOut: (text) => (output += text),
      writeErr: (text) => (output += text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  }
  let exitCode = 0;
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    exitCode = error.exitCode;
  }
  return { calls, output, exitCode };
}

describe('the command line', () => {
  it('gives commands their options', async () => {
    const { calls } = await parse(
      'run',
      'job.ts',
      '-p',
      '4',
      '-D',
      'a=1',
      '-Db=2',
      '--param',
      'x=[1]',
      '--json',
      '--verbose',
    );
    const options = {
      parallelism: '4',
      D: ['a=1', 'b=2'],
      param: ['x=[1]'],
      json: true,
      verbose: true,
    };
    expect(calls).toEqual([{ command: 'run', module: 'job.ts', options }]);
    expect((await parse('explain', 'job.ts', '--code')).calls[0]?.options).toEqual({ code: true });
    expect((await parse('doctor')).calls[0]?.command).toBe('doctor');
  });

  it('prints its version and help, with examples and every exit code', async () => {
    expect(await parse('--version')).toMatchObject({ output: '1.2.3\n', exitCode: 0 });
    const { output, exitCode } = await parse('--help');
    expect(exitCode).toBe(0);
    for (const word of ['Examples:', 'run flights.ts', 'Exit codes:', '130', '141', 'MILLRACE_']) {
      expect(output).toContain(word);
    }
    expect(output).not.toContain('\x1b');
    const run = (await parse('run', '--help')).output;
    for (const word of ['badRecord', 'Ctrl-C', '--param <key=value>']) expect(run).toContain(word);
    expect(run).not.toContain('default: []');
  });

  it.each([
    [['rnu'], 'Did you mean run?'],
    [['run', 'job.ts', '--paralelism', '2'], 'Did you mean --parallelism?'],
    [['run'], "missing required argument 'module'"],
    [['run', 'a.ts', 'b.ts'], 'too many arguments'],
  ])('refuses %j and helps', async (words, hint) => {
    const { output, exitCode, calls } = await parse(...words);
    expect(output).toContain(hint);
    expect(output).toContain('millrace --help');
    expect(exitCode).not.toBe(0);
    expect(calls).toEqual([]);
  });
});
