#!/usr/bin/env node
/**
 * The command line. Callers: people and scripts. Runs on: the main thread. Exit codes are those of `exit-codes.ts`.
 * Invariant: each command loads only what it needs, because people wait for it.
 */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { entryUrl } from '../runtime/entry-url.js';
import type { CommandContext } from './command-context.js';
import { EXIT_BROKEN_PIPE, EXIT_OK, EXIT_USAGE } from './exit-codes.js';
import { createProgram } from './program.js';

let exitCode: number = EXIT_OK;

const program = createProgram(packageVersion(), {
  run: (module, options) =>
    execute(options, async (context) => {
      if (options.server !== undefined && options.plan !== true) {
        const { submitCommand } = await import('./submit-command.js');
        return submitCommand(module, options, options.server, context);
      }
      const { runCommand } = await import('./run-command.js');
      return runCommand(module, options, context);
    }),
  explain: (module, options) =>
    execute(options, async (context) => {
      const { explainCommand } = await import('./explain-command.js');
      return explainCommand(module, options, context);
    }),
  server: (call) =>
    execute(call.options, async (context) => {
      if (call.command === 'server') {
        const { serverCommand } = await import('./server-command.js');
        return serverCommand(call.options, context, packageVersion());
      }
      const { jobsCommand } = await import('./jobs-command.js');
      return jobsCommand(call, context);
    }),
  doctor: (options) =>
    execute(options, async (context) => {
      const { doctorCommand } = await import('./doctor-command.js');
      return doctorCommand(context);
    }),
  state: (call) =>
    execute(call.options, async (context) => {
      const { stateCommand } = await import('./state-command.js');
      return stateCommand(call, context);
    }),
});

process.stdout.on('error', ignoreBrokenPipe);
process.stderr.on('error', ignoreBrokenPipe);
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

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', entryUrl('index')), 'utf8');
  const { version }: { readonly version: string } = JSON.parse(text);
  return version;
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
