#!/usr/bin/env node
/**
 * The command line. Callers: people and scripts. Runs on: the main thread. Exit codes are those of `exit-codes.ts`.
 * Invariant: each command loads only what it needs, because people wait for it.
 */
import { CommanderError } from 'commander';
import { packageVersion } from '../runtime/package-version.js';
import type { CommandContext } from './command-context.js';
import { EXIT_BROKEN_PIPE, EXIT_OK, EXIT_USAGE } from './exit-codes.js';
import { createProgram } from './program.js';

let exitCode: number = EXIT_OK;

const program = createProgram(packageVersion(), {
  run: async (module, options) => {
    if (options.serve === true) await keepOutput();
    await execute(options, async (context) => {
      if (options.server !== undefined) {
        const { submitCommand } = await import('./submit-command.js');
        return submitCommand(module, options, options.server, context);
      }
      if (options.serve === true) {
        const { serveCommand } = await import('./serve-command.js');
        return serveCommand(module, options, context, packageVersion());
      }
      const { runCommand } = await import('./run-command.js');
      return runCommand(module, options, context);
    });
  },
  dev: (module, options) =>
    execute(options, async (context) => {
      const { devCommand } = await import('./dev-command.js');
      return devCommand(module, options, context);
    }),
  preview: (module, options) =>
    execute(options, async (context) => {
      const { previewCommand } = await import('./preview-command.js');
      return previewCommand(module, options, context);
    }),
  explain: (module, options) =>
    execute(options, async (context) => {
      const { explainCommand } = await import('./explain-command.js');
      return explainCommand(module, options, context);
    }),
  server: async (call) => {
    if (call.command === 'server') await keepOutput();
    await execute(call.options, async (context) => {
      if (call.command === 'server') {
        const { serverCommand } = await import('./server-command.js');
        return serverCommand(call.options, context, packageVersion());
      }
      if (call.command === 'top') {
        const { topCommand } = await import('./top-command.js');
        return topCommand(call.options, context);
      }
      const { jobsCommand } = await import('./jobs-command.js');
      return jobsCommand(call, context);
    });
  },
  create: (directory, options) =>
    execute(options, async (context) => {
      const { newCommand } = await import('./new-command.js');
      return newCommand(directory, options, packageVersion(), context);
    }),
  doctor: (options) =>
    execute(options, async (context) => {
      const { doctorCommand } = await import('./doctor-command.js');
      return doctorCommand(options, packageVersion(), context);
    }),
  completions: async (shell, defined) => {
    const { completions } = await import('./completions.js');
    process.stdout.write(completions(defined, shell));
  },
  state: (call) =>
    execute(call.options, async (context) => {
      const { stateCommand } = await import('./state-command.js');
      return stateCommand(call, context);
    }),
});

process.stdout.on('error', ignoreBrokenPipe);
process.stderr.on('error', ignoreBrokenPipe);
const words = process.argv.slice(2);
// A single word may be a command with others below it, which then gives its help.
if (words.length < 2 || words.some((word) => /^(?:-h|--help|help)$/.test(word))) {
  const { addHelpTexts } = await import('./help-texts.js');
  addHelpTexts(program);
}
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  exitCode = error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
}
await flush(process.stderr);
const isRead = await flush(process.stdout);
// The job's module may hold the process open with timers or servers, of which nothing is wanted any more.
process.exit(isRead || exitCode !== EXIT_OK ? exitCode : EXIT_BROKEN_PIPE);

/** Of what a server prints the end is kept, for those who ask it over REST. */
async function keepOutput(): Promise<void> {
  const { keepPrinted } = await import('./printed-tail.js');
  keepPrinted();
}

/** Runs a command in its context; what it throws is reported and becomes an exit code. */
async function execute(
  options: { readonly json?: boolean },
  command: (context: CommandContext) => Promise<number>,
): Promise<void> {
  const { commandContext, reportCallError } = await import('./command-context.js');
  const context = commandContext(process, process.env, options.json === true);
  try {
    exitCode = await command(context);
  } catch (error) {
    exitCode = await reportCallError(error, context);
  }
}

/** Waits until everything is written; false when the reader is gone. */
function flush(stream: NodeJS.WriteStream): Promise<boolean> {
  return new Promise((resolve) => {
    stream.write('', (error) => resolve(error === null || error === undefined));
  });
}

/** That the reader is gone shows again when output is flushed; anything else is an error. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
