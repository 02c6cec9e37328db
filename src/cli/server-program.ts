/**
 * Commands and options of `millrace server` and of what talks to one. Callers: `program.ts`. Runs on: the main
 * thread.
 */
import type { Command } from 'commander';

/** Options of `server`. */
export interface ServerOptions {
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  readonly slots?: string;
  readonly admission?: string;
  readonly uploads?: boolean;
  readonly taps?: boolean;
  readonly tokenFile?: string;
  readonly allowHost?: readonly string[];
  readonly history?: string;
  readonly ha?: string;
  readonly haQuorum?: string;
  readonly haClusterId?: string;
  readonly haAddress?: string;
  readonly logBytes?: string;
  readonly logFiles?: string;
  readonly D?: readonly string[];
  readonly config?: string;
  readonly json?: boolean;
}

/** Options of all commands that talk to a server. */
export interface ClientOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
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

/** Options of `logs`. */
export interface LogsOptions extends ClientOptions {
  readonly follow?: boolean;
  readonly level?: string;
  readonly output?: boolean;
}

/** Options of `metrics`. */
export interface MetricsOptions extends ClientOptions {
  readonly get?: string;
}

/** Options of `tap`. */
export interface TapCommandOptions extends ClientOptions {
  readonly to?: string;
  readonly input?: boolean;
  readonly filter?: string;
  readonly limit?: string;
  readonly sample?: string;
}

/** Options of `profile`. */
export interface ProfileCommandOptions extends ClientOptions {
  readonly operator?: string;
  readonly seconds?: string;
  readonly output?: string;
}

/** A call of one of the commands that talk to a server. */
export type JobsCall =
  | { readonly command: 'list'; readonly options: ListOptions }
  | {
      readonly command: 'status' | 'cancel' | 'checkpoint';
      readonly job: string;
      readonly options: ClientOptions;
    }
  | { readonly command: 'logs'; readonly job: string; readonly options: LogsOptions }
  | { readonly command: 'profile'; readonly job: string; readonly options: ProfileCommandOptions }
  | { readonly command: 'metrics'; readonly job: string; readonly options: MetricsOptions }
  | {
      readonly command: 'tap';
      readonly job: string;
      readonly operator: string;
      readonly options: TapCommandOptions;
    }
  | {
      readonly command: 'rescale';
      readonly job: string;
      /** As it was written. */
      readonly parallelism: string;
      readonly options: ClientOptions;
    }
  | { readonly command: 'stop'; readonly job: string; readonly options: StopOptions }
  | {
      readonly command: 'savepoint';
      /** Absent when one is disposed of. */
      readonly job: string | undefined;
      readonly options: SavepointOptions;
    };

/** A call of one of the commands. */
export type ServerCall =
  | JobsCall
  | { readonly command: 'server'; readonly options: ServerOptions }
  | { readonly command: 'top'; readonly options: ClientOptions };

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
    .option('--no-taps', 'show no records and no state of jobs; their data stays theirs')
    .option('--token-file <file>', 'ask for the token in the file (default: MILLRACE_TOKEN)')
    .option('--allow-host <name>', 'a name by which the server may be called; repeatable', collect)
    .option('--history <n>', 'ended jobs that are kept (default: 100)')
    .option('--ha <type>', 'stand by while another server leads: lockfile or zookeeper')
    .option('--ha-quorum <hosts>', 'where ZooKeeper is, as host:port,host:port')
    .option('--ha-cluster-id <id>', 'which servers belong together in ZooKeeper')
    .option('--ha-address <url>', 'where clients find this server while it leads')
    .option('--log-bytes <size>', 'a file of a log is put aside at so many bytes (default: 8mb)')
    .option('--log-files <n>', 'files that are kept of each log (default: 4)')
    .option('-D <key=value>', 'a setting of all jobs, as -D slot.memory=1gb; repeatable', collect)
    .option('--config <file>', 'configuration file (default: millrace.config.*)')
    .option('--json', 'print JSON lines')
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
  ] as const) {
    client(program, command, description)
      .argument(...JOB)
      .action((job: string, options: ClientOptions) => act({ command, job, options }));
  }

  client(program, 'top', 'Watch the jobs of a server: rates, checkpoints, memory.').action(
    (options: ClientOptions) => act({ command: 'top', options }),
  );

  client(program, 'logs', 'Print the log of a job: what becomes of it, and what its functions log.')
    .argument(...JOB)
    .option('-f, --follow', 'go on with what comes, until the job has ended')
    .option('--level <level>', 'have its functions log from trace, debug, info, warn or error on')
    .option('--output', 'print the newest of what the job has printed instead')
    .action((job: string, options: LogsOptions) => act({ command: 'logs', job, options }));

  client(program, 'metrics', 'Print the metrics of a job, those of chains over their subtasks.')
    .argument(...JOB)
    .option('--get <names>', 'only these, comma-separated, * for anything')
    .action((job: string, options: MetricsOptions) => act({ command: 'metrics', job, options }));

  client(program, 'profile', 'Print in which functions a job spends its time.')
    .argument(...JOB)
    .option('--operator <operator>', 'only the chain that it is in')
    .option('--seconds <n>', 'for how long to look, up to 60 (default: 1)')
    .option('-o, --output <file>', 'write it as .cpuprofile too, a file for each slot')
    .action((job: string, options: ProfileCommandOptions) =>
      act({ command: 'profile', job, options }),
    );

  client(program, 'stop', 'End a job with a savepoint.')
    .argument(...JOB)
    .option('-d, --drain', 'let operators emit what they hold back, so that nothing is to go on')
    .option(...TO)
    .action((job: string, options: StopOptions) => act({ command: 'stop', job, options }));

  client(program, 'tap', 'Print records of a job as they pass, a sample of them.')
    .argument(...JOB)
    .argument('<operator>', 'an operator, source, sink or chain: what comes out of it')
    .option('--to <operator>', 'only what goes on to this one')
    .option('--input', 'what goes into it')
    .option('-f, --filter <expression>', 'only records like this, as --filter "amount > 100"')
    .option('-l, --limit <n>', 'end after so many records')
    .option('--sample <n>', 'records of each subtask in a fifth of a second (default: 10)')
    .action((job: string, operator: string, options: TapCommandOptions) =>
      act({ command: 'tap', job, operator, options }),
    );

  client(program, 'rescale', 'Have a job go on at another parallelism.')
    .argument(...JOB)
    .argument('<parallelism>', 'of all operators that name none of their own')
    .action((job: string, parallelism: string, options: ClientOptions) =>
      act({ command: 'rescale', job, parallelism, options }),
    );

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
    .option('--ca-file <file>', 'whom to trust to have signed its certificate, as PEM')
    .option('--cert-file <file>', 'certificate and key to show it, as PEM')
    .option('--json', 'print JSON lines');
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
