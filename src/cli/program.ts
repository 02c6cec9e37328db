/**
 * Commands and options of the command line. Callers: `main.ts`. Runs on: the main thread. What help says beyond them is
 * in `help-texts.ts`. Help is written with colour; commander takes it out where nobody would see it.
 */
import { Argument, Command } from 'commander';
import { addServerCommands, type ServerCall } from './server-program.js';
import { addStateCommands, type StateCall } from './state-program.js';
import { PAINTED_STYLE } from './style.js';

/** Options of `run` and `explain`, as commander gives them. */
export interface JobOptions {
  readonly parallelism?: string;
  readonly D?: readonly string[];
  readonly config?: string;
  readonly param?: readonly string[];
  readonly job?: string;
  readonly json?: boolean;
}

/** Options of `run`. */
export interface RunOptions extends JobOptions {
  readonly verbose?: boolean;
  readonly from?: string;
  readonly allowNonRestored?: boolean;
  readonly server?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly detached?: boolean;
  readonly plan?: boolean;
  readonly claimMode?: string;
  readonly serve?: boolean;
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
}

/** Options of `preview`. */
export interface PreviewOptions extends JobOptions {
  readonly at?: string;
  readonly limit?: string;
}

/** Options of `explain`. */
export interface ExplainOptions extends JobOptions {
  readonly from?: string;
  readonly allowNonRestored?: boolean;
  readonly code?: boolean;
}

/** Options of `new`. */
export interface NewOptions {
  readonly template?: string;
  readonly json?: boolean;
}

/** Options of `doctor`. */
export interface DoctorOptions {
  readonly json?: boolean;
  readonly bundle?: string;
  readonly server?: string;
  readonly tokenFile?: string;
  readonly data?: string;
  readonly D?: readonly string[];
  readonly config?: string;
}

/** Shells that there are completions for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What the commands do. */
export interface CommandActions {
  run(module: string, options: RunOptions): Promise<void>;
  explain(module: string, options: ExplainOptions): Promise<void>;
  dev(module: string, options: RunOptions): Promise<void>;
  preview(module: string, options: PreviewOptions): Promise<void>;
  server(call: ServerCall): Promise<void>;
  create(directory: string, options: NewOptions): Promise<void>;
  doctor(options: DoctorOptions): Promise<void>;
  state(call: StateCall): Promise<void>;
  completions(shell: Shell, program: Command): Promise<void>;
}

/** Builds the parser. It throws `CommanderError` instead of ending the process. */
export function createProgram(version: string, actions: CommandActions): Command {
  const program = new Command('millrace')
    .description('A stateful stream and batch engine for one machine.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('Run `millrace --help` for commands and options.')
    .configureHelp({ styleTitle: PAINTED_STYLE.bold })
    .exitOverride();

  jobCommand(program, 'run', 'Run a job to its end.')
    .option(
      '-s, --from <checkpoint>',
      'go on from a checkpoint or savepoint: its path, or "latest"',
    )
    .option(
      '--claim-mode <mode>',
      'whose the snapshot of --from is: noClaim (yours) or claim (the job deletes it)',
    )
    .option('-n, --allow-non-restored', 'leave out state that the job no longer has')
    .option('--plan', 'print what going on would mean, and do not run')
    .option('--verbose', 'print the plan, settings, memory ledger and counters too')
    .option('-m, --server <address>', 'have a server run it instead, such as 127.0.0.1:8081')
    .option('-d, --detached', 'with --server: do not wait for its end')
    .option('--serve', 'with a REST interface and a console of its own, until it has ended')
    .option('--host <host>', 'with --serve: address to listen on (default: 127.0.0.1)')
    .option('--port <port>', 'with --serve: port to listen on, 0 for any (default: 8081)')
    .option('--data <directory>', 'with --serve: where the job is kept (default: millrace-app)')
    .option('--token-file <file>', 'of --server, or for --serve (default: MILLRACE_TOKEN)')
    .option('--ca-file <file>', 'with --server: whom to trust to have signed its certificate')
    .option('--cert-file <file>', 'with --server: certificate and key to show it')
    .action((module: string, options: RunOptions) => actions.run(module, options));

  jobCommand(
    program,
    'dev',
    'Run a job while it is being written: a save swaps its code, not its state.',
  )
    .option('-s, --from <checkpoint>', 'begin with a checkpoint or savepoint, as run does')
    .option('-n, --allow-non-restored', 'as for run: state may be left out')
    .action((module: string, options: RunOptions) => actions.dev(module, options));

  jobCommand(program, 'preview', 'Show the first rows of a job as a table; nothing is written.')
    .option(
      '--at <operator>',
      'what comes out of this one, or into this sink (default: the first sink)',
    )
    .option('-l, --limit <n>', 'end after so many rows (default: 20)')
    .action((module: string, options: PreviewOptions) => actions.preview(module, options));

  jobCommand(program, 'explain', 'Print the plan of a job without running it.')
    .alias('info')
    .option('--code', 'print the generated loops too')
    .option('-s, --from <checkpoint>', 'print what going on from it would mean, too')
    .option('-n, --allow-non-restored', 'as for run: state may be left out')
    .action((module: string, options: ExplainOptions) => actions.explain(module, options));

  addServerCommands(program, actions.server);

  program
    .command('new')
    .description('Make a project: a job, its test, and how to run them.')
    .argument('<directory>', 'where; it must be empty, or not be there')
    .option('--template <name>', 'batch or stream (default: batch)')
    .option('--json', 'print one line of JSON')
    .action((directory: string, options: NewOptions) => actions.create(directory, options));

  program
    .command('doctor')
    .description('Check this machine and installation.')
    .option('--bundle <file>', 'write what helps those who help, as a .tgz')
    .option('-m, --server <address>', 'with --bundle: how this server and its jobs stand, too')
    .option('--token-file <file>', 'its token (default: MILLRACE_TOKEN)')
    .option(
      '--data <directory>',
      'with --bundle: of a server that is down (default: millrace-data)',
    )
    .option('-D <key=value>', 'with --bundle: a setting, as for run; repeatable', collect)
    .option('--config <file>', 'configuration file (default: millrace.config.*)')
    .option('--json', 'print JSON lines')
    .action((options: DoctorOptions) => actions.doctor(options));

  addStateCommands(program, (call) => actions.state(call));

  program
    .command('completions')
    .description('Print completions for a shell.')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .action((shell: Shell) => actions.completions(shell, program));
  return program;
}

function jobCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .argument('<module>', 'the job: a .ts, .mts, .js or .mjs file')
    .option('-p, --parallelism <n>', 'subtasks of each operator (default: the number of cores)')
    .option('-D <key=value>', 'a setting, such as -D slot.memory=1gb; repeatable', collect)
    .option('--config <file>', 'configuration file (default: millrace.config.*)')
    .option('--param <key=value>', 'a parameter of the job, JSON or text; repeatable', collect)
    .option('--job <name>', 'which job of the module, when it defines several')
    .option('--json', 'print JSON lines');
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
