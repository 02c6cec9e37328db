/**
 * Commands, options and help of the command line. Callers: `main.ts`. Runs on: the main thread. Help is written with
 * colour; commander takes it out where nobody would see it.
 */
import { Command } from 'commander';
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
  readonly detached?: boolean;
  readonly plan?: boolean;
  readonly claimMode?: string;
}

/** Options of `explain`. */
export interface ExplainOptions extends JobOptions {
  readonly from?: string;
  readonly allowNonRestored?: boolean;
  readonly code?: boolean;
}

/** Options of `doctor`. */
export interface DoctorOptions {
  readonly json?: boolean;
}

/** What the commands do. */
export interface CommandActions {
  run(module: string, options: RunOptions): Promise<void>;
  explain(module: string, options: ExplainOptions): Promise<void>;
  server(call: ServerCall): Promise<void>;
  doctor(options: DoctorOptions): Promise<void>;
  state(call: StateCall): Promise<void>;
}

const { bold, dim } = PAINTED_STYLE;

const TOP_HELP = `
${bold('Examples:')}
  millrace run flights.ts                      run the job that the module exports
  millrace run flights.ts -p 4 -D slot.memory=1gb
  millrace run flights.ts --param days=7       the job is given { days: 7 }
  millrace run flights.ts --json | jq .type    one JSON object a line
  millrace explain flights.ts                  what would run where, and why
  millrace doctor                              what this machine offers
  millrace server --uploads                    run jobs for others; then list, stop, cancel
  millrace state ls out/checkpoints/<job>      what a checkpoint holds

${bold('Configuration')}, later wins:
  millrace.config.{ts,mts,js,mjs,json,yaml,yml} in the current directory,
  or the file that MILLRACE_CONFIG or --config names
  environment   MILLRACE_SLOT_MEMORY=1gb is slot.memory
  command line  -D slot.memory=1gb

${bold('Exit codes:')}
  0    success
  1    the job failed, the server does not answer or could not do it, doctor found a problem,
       state get found nothing, or state diff a difference
  2    the call, the configuration or the job is wrong; nothing has run
  130  interrupted by SIGINT or SIGTERM
  141  the reader of the output went away, as head does

${dim('Results go to standard output, everything about the run to standard error.')}
${dim('NO_COLOR, FORCE_COLOR, CI and TERM=dumb are respected.')}
${dim('Run `millrace help <command>` for its options.')}`;

const RUN_HELP = `
On a terminal the running job is drawn in place; elsewhere a line every five seconds tells
how far it is. The first Ctrl-C cancels the job in order, the second ends it at once; what
sinks have not committed is thrown away.

${bold('With --json')} standard output has one JSON object a line, told apart by "type":
  plan       the plan, first
  progress   counters of chains and edges, every second
  restored   the checkpoint that the job goes on from
  restorePlan  with --plan: what maps to what, what is new, lost, or cannot be read
  checkpoint a checkpoint that has completed or failed
  chainBroken  state that checkpoints build on is damaged; the next one holds everything
  restart    why the job has failed and is started again
  rescaled   from which parallelism to which, and how long it took
  badRecord  a record that could not be parsed and was skipped
  result     duration, counters and memory ledger, when the job has finished; with --from
             latest of a job that had finished before, hadFinishedMs says when
  error      code, message, place, advice and causes, when it has not
What a print sink or the job's own functions write goes to standard error then.

${bold('Examples:')}
  millrace run word-count.ts --param path='books/*.txt' --param limit=20
  millrace run flights.ts -D execution.checkpointing.interval=10s \\
    -D execution.checkpointing.dir=checkpoints --from latest
  millrace run flights.ts --from savepoints/savepoint-3f2a91-0b1c2d3e4f5a --plan
  millrace run flights.ts --job daily -D task.stallTimeout=30s --verbose
  millrace run flights.ts -m 127.0.0.1:8081 -d  a server that takes uploads runs it`;

const EXPLAIN_HELP = `
Sources and sinks are not touched, except that --code lets sources look at their input to
learn its schema.

${bold('Examples:')}
  millrace explain flights.ts --code           the generated loops too
  millrace explain flights.ts -p 8 --json      the plan as one line of JSON`;

/** Builds the parser. It throws `CommanderError` instead of ending the process. */
export function createProgram(version: string, actions: CommandActions): Command {
  const program = new Command('millrace')
    .description('A stateful stream and batch engine for one machine.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('Run `millrace --help` for commands and options.')
    .configureHelp({ styleTitle: bold })
    .addHelpText('after', TOP_HELP)
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
    .option('--token-file <file>', 'with --server: its token (default: MILLRACE_TOKEN)')
    .addHelpText('after', RUN_HELP)
    .action((module: string, options: RunOptions) => actions.run(module, options));

  jobCommand(program, 'explain', 'Print the plan of a job without running it.')
    .alias('info')
    .option('--code', 'print the generated loops too')
    .option('-s, --from <checkpoint>', 'print what going on from it would mean, too')
    .option('-n, --allow-non-restored', 'as for run: state may be left out')
    .addHelpText('after', EXPLAIN_HELP)
    .action((module: string, options: ExplainOptions) => actions.explain(module, options));

  addServerCommands(program, actions.server);

  program
    .command('doctor')
    .description('Check this machine and installation.')
    .option('--json', 'print one line of JSON')
    .action((options: DoctorOptions) => actions.doctor(options));

  addStateCommands(program, (call) => actions.state(call));
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
