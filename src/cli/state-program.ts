/**
 * Commands and options of `millrace state`. Callers: `program.ts`. Runs on: the main thread.
 */
import type { Command } from 'commander';

/** Options of all commands that look into a checkpoint. */
export interface StateOptions {
  readonly json?: boolean;
}

/** Options of `state scan`. */
export interface StateScanOptions extends StateOptions {
  readonly keyGroups?: string;
  readonly limit?: string;
}

/** Options of `state diff`. */
export interface StateDiffOptions extends StateOptions {
  readonly samples?: string;
}

/** Options of `state export`. */
export interface StateExportOptions extends StateOptions {
  readonly to: string;
  readonly format?: string;
}

/** Options of `state edit`. */
export interface StateEditOptions extends StateOptions {
  readonly to: string;
  readonly apply?: string;
  readonly remove?: readonly string[];
  readonly rename?: readonly string[];
  readonly maxParallelism?: readonly string[];
}

/** A call of one of the commands. */
export type StateCall =
  | {
      readonly command: 'diff';
      readonly path: string;
      readonly other: string;
      readonly options: StateDiffOptions;
    }
  | {
      readonly command: 'export';
      readonly path: string;
      readonly uid: string;
      readonly state: string;
      readonly options: StateExportOptions;
    }
  | { readonly command: 'edit'; readonly path: string; readonly options: StateEditOptions }
  | { readonly command: 'ls'; readonly path: string; readonly options: StateOptions }
  | {
      readonly command: 'get';
      readonly path: string;
      readonly uid: string;
      readonly state: string;
      readonly key: string;
      readonly options: StateOptions;
    }
  | {
      readonly command: 'scan';
      readonly path: string;
      readonly uid: string;
      readonly state: string;
      readonly options: StateScanOptions;
    };

/** Adds the commands. */
export function addStateCommands(program: Command, act: (call: StateCall) => Promise<void>): void {
  const state = program
    .command('state')
    .description('Look into the state of a checkpoint or savepoint.')
    .helpCommand('help [command]', 'print help for a command');

  withJson(state.command('ls'))
    .description('List operators, their states, positions of sources, pending output of sinks.')
    .argument('<checkpoint>', 'the checkpoint or savepoint')
    .action((path: string, options: StateOptions) => act({ command: 'ls', path, options }));

  withJson(state.command('get'))
    .description('Print what one key has of a state.')
    .argument('<checkpoint>', 'the checkpoint or savepoint')
    .argument('<uid>', 'the operator')
    .argument('<state>', 'the state')
    .argument('<key>', 'the key, as scan prints it; one of several parts as a JSON array')
    .action((path: string, uid: string, name: string, key: string, options: StateOptions) =>
      act({ command: 'get', path, uid, state: name, key, options }),
    );

  withJson(state.command('scan'))
    .description('Print the entries of a state, key group by key group.')
    .argument('<checkpoint>', 'the checkpoint or savepoint')
    .argument('<uid>', 'the operator')
    .argument('<state>', 'the state')
    .option('--key-groups <list>', 'only these key groups, such as 0-31,64')
    .option('--limit <n>', 'stop after so many entries')
    .action((path: string, uid: string, name: string, options: StateScanOptions) =>
      act({ command: 'scan', path, uid, state: name, options }),
    );

  addWritingCommands(state, act);
}

/** Adds the commands that compare, export and edit. */
function addWritingCommands(state: Command, act: (call: StateCall) => Promise<void>): void {
  withJson(state.command('diff'))
    .description('Compare two checkpoints: what the second has more, less, or otherwise.')
    .argument('<checkpoint>', 'the checkpoint or savepoint')
    .argument('<other>', 'the later one')
    .option('--samples <n>', 'differing entries to print of each state (default: 5)')
    .action((path: string, other: string, options: StateDiffOptions) =>
      act({ command: 'diff', path, other, options }),
    );

  withJson(state.command('export'))
    .description('Write the entries of a state to files, as records.')
    .argument('<checkpoint>', 'the checkpoint or savepoint')
    .argument('<uid>', 'the operator')
    .argument('<state>', 'the state')
    .requiredOption('--to <path>', 'the directory to be written')
    .option('--format <format>', 'ndjson, csv or parquet (default: ndjson)')
    .action((path: string, uid: string, name: string, options: StateExportOptions) =>
      act({ command: 'export', path, uid, state: name, options }),
    );

  withJson(state.command('edit'))
    .description('Write a new savepoint that is a checkpoint changed.')
    .argument('<checkpoint>', 'the checkpoint or savepoint')
    .requiredOption('--to <path>', 'the directory of the new savepoint')
    .option('--remove <uid>', 'leave an operator out, with its state; repeatable', collect)
    .option('--rename <uid=uid>', 'give an operator another uid; repeatable', collect)
    .option('--max-parallelism <n>', 'of all operators, or <uid=n> of one; repeatable', collect)
    .option('--apply <file>', 'NDJSON: entries to set, as scan --json prints them, or to delete')
    .action((path: string, options: StateEditOptions) => act({ command: 'edit', path, options }));
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

function withJson(command: Command): Command {
  return command.option('--json', 'print JSON lines');
}
