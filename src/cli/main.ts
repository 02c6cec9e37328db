#!/usr/bin/env node
/**
 * The command line. Callers: people and scripts. Runs on: the main thread. Exit codes: 0 success, 1 the job
 * failed, 2 the call or the job is wrong, 130 interrupted. Each command loads only what it needs.
 */
import { Command, CommanderError } from 'commander';
import { describeError, MillraceError } from '../base/errors.js';

/** The call or the job's definition is wrong; nothing has run. */
const EXIT_USAGE = 2;

const program = new Command('millrace')
  .description('A stateful stream and batch engine for one machine.')
  .configureOutput({ outputError: (text, write) => write(text) })
  .exitOverride();

const jobOptions = (command: Command): Command =>
  command
    .option('-p, --parallelism <n>', 'subtasks of each operator; default: the cores')
    .option('-D <key=value>', 'a setting, such as -D slot.memory=1gb; may be repeated', collect, [])
    .option('--config <file>', 'configuration file; default: millrace.config.*')
    .option('--param <key=value>', 'a parameter of the job; may be repeated', collect, [])
    .option('--job <name>', 'which job of the module, when it defines several')
    .option('--json', 'print JSON lines');

jobOptions(program.command('run').argument('<module>', 'the job: a .ts or .js file'))
  .description('Run a job to its end.')
  .option('--verbose', 'print settings, memory ledger and counters at the end')
  .action(async (module, options) => {
    const { runCommand } = await import('./run-command.js');
    process.exitCode = await runCommand(module, options);
  });

jobOptions(program.command('explain').argument('<module>', 'the job: a .ts or .js file'))
  .description('Print the plan of a job without running it.')
  .option('--code', 'print the generated loops too')
  .action(async (module, options) => {
    const { explainCommand } = await import('./explain-command.js');
    process.exitCode = await explainCommand(module, options);
  });

program
  .command('doctor')
  .description('Check this machine and installation.')
  .option('--json', 'print JSON')
  .action(async (options) => {
    const { doctorCommand } = await import('./doctor-command.js');
    process.exitCode = await doctorCommand(options);
  });

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else {
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = MillraceError.is(error) && error.code !== 'ASSERTION' ? EXIT_USAGE : 1;
  }
}
