/**
 * Commands, options and help of `millrace server` and of what talks to one. Callers: `program.ts`. Runs on: the main
 * thread.
 */
import type { Command } from 'commander';
import { PAINTED_STYLE } from './style.js';

/** Options of `server`. */
export interface ServerOptions {
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  readonly slots?: string;
  readonly admission?: string;
  readonly uploads?: boolean;
  readonly tokenFile?: string;
  readonly allowHost?: readonly string[];
  readonly history?: string;
  readonly D?: readonly string[];
  readonly config?: string;
  readonly json?: boolean;
}

/** Options of all commands that talk to a server. */
export interface ClientOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
}

/** Options of `list`. */
export interface ListOptions extends ClientOptions {
  readonly running?: boolean;
  readonly scheduled?: boolean;
  readonly all?: boolean;
}

/** Options of `stop`. */
export interface StopOptions extends ClientOptions {
  readonly drain?: boolean;
  readonly savepointPath?: string;
}

/** Options of `savepoint`. */
export interface SavepointOptions extends ClientOptions {
  readonly savepointPath?: string;
  readonly dispose?: string;
}

/** Options of `metrics`. */
export interface MetricsOptions extends ClientOptions {
  readonly get?: string;
}

/** A call of one of the commands that talk to a server. */
export type JobsCall =
  | { readonly command: 'list'; readonly options: ListOptions }
  | {
      readonly command: 'status' | 'cancel' | 'checkpoint' | 'logs';
      readonly job: string;
      readonly options: ClientOptions;
    }
  | { readonly command: 'metrics'; readonly job: string; readonly options: MetricsOptions }
  | { readonly command: 'stop'; readonly job: string; readonly options: StopOptions }
  | {
      readonly command: 'savepoint';
      /** Absent when one is disposed of. */
      readonly job: string | undefined;
      readonly options: SavepointOptions;
    };

/** A call of one of the commands. */
export type ServerCall = JobsCall | { readonly command: 'server'; readonly options: ServerOptions };

const { bold } = PAINTED_STYLE;

const SERVER_HELP = `
A server that was killed finds its jobs again and goes on from their checkpoints. Ctrl-C
ends it; its jobs go on when it is started again.

${bold('Examples:')}
  millrace server                              on http://127.0.0.1:8081, jobs in ./millrace-data
  millrace server --uploads --slots 16 --data /var/lib/millrace
  millrace run flights.ts -m 127.0.0.1:8081 -d
  millrace list`;

const JOB = ['<job>', 'its id, the first digits of it, or its name'] as const;
const TO = ['-p, --savepoint-path <directory>', 'where the savepoint goes'] as const;

/** Adds the commands. */
export function addServerCommands(
  program: Command,
  act: (call: ServerCall) => Promise<void>,
): void {
  program
    .command('server')
    .description('Run jobs that are submitted over REST, each in a process of its own.')
    .option('--host <host>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <port>', 'port to listen on, 0 for any (default: 8081)')
    .option('--data <directory>', 'where jobs are kept (default: millrace-data)')
    .option('--slots <n>', 'slots for all jobs together (default: four for each core)')
    .option('--admission <policy>', 'queue, refuse or shrink what does not fit (default: queue)')
    .option('--uploads', 'take bundles; whoever reaches the server may then run programs')
    .option('--token-file <file>', 'ask for the token in the file (default: MILLRACE_TOKEN)')
    .option('--allow-host <name>', 'a name by which the server may be called; repeatable', collect)
    .option('--history <n>', 'ended jobs that are kept (default: 100)')
    .option('-D <key=value>', 'a setting of all jobs, as -D slot.memory=1gb; repeatable', collect)
    .option('--config <file>', 'configuration file (default: millrace.config.*)')
    .option('--json', 'print JSON lines')
    .addHelpText('after', SERVER_HELP)
    .action((options: ServerOptions) => act({ command: 'server', options }));

  client(program, 'list', 'List the jobs of a server: those that run or wait.')
    .option('-r, --running', 'only those that run')
    .option('-s, --scheduled', 'only those that wait')
    .option('-a, --all', 'those that have ended too')
    .action((options: ListOptions) => act({ command: 'list', options }));

  for (const [command, description] of [
    ['status', 'Print how a job stands.'],
    ['cancel', 'End a job without a savepoint.'],
    ['checkpoint', 'Take a checkpoint of a job.'],
    ['logs', 'Print the newest of what a job has printed.'],
  ] as const) {
    client(program, command, description)
      .argument(...JOB)
      .action((job: string, options: ClientOptions) => act({ command, job, options }));
  }

  client(program, 'metrics', 'Print the metrics of a job, those of chains over their subtasks.')
    .argument(...JOB)
    .option('--get <names>', 'only these, comma-separated, * for anything')
    .action((job: string, options: MetricsOptions) => act({ command: 'metrics', job, options }));

  client(program, 'stop', 'End a job with a savepoint.')
    .argument(...JOB)
    .option('-d, --drain', 'let operators emit what they hold back, so that nothing is to go on')
    .option(...TO)
    .action((job: string, options: StopOptions) => act({ command: 'stop', job, options }));

  client(program, 'savepoint', 'Take a savepoint of a job, or delete one.')
    .argument('[job]', JOB[1])
    .option(...TO)
    .option('-d, --dispose <savepoint>', 'delete this savepoint instead')
    .action((job: string | undefined, options: SavepointOptions) =>
      act({ command: 'savepoint', job, options }),
    );
}

/** A command that talks to a server. */
function client(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('-m, --server <address>', 'the server (default: MILLRACE_SERVER or 127.0.0.1:8081)')
    .option('--token-file <file>', 'its token (default: MILLRACE_TOKEN)')
    .option('--json', 'print JSON lines');
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
