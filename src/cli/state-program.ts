/**
 * Commands, options and help of `millrace state`. Callers: `program.ts`. Runs on: the main thread.
 */
import type { Command } from 'commander';
import { PAINTED_STYLE } from './style.js';

/** Options of all commands that look into a checkpoint. */
export interface StateOptions {
  readonly json?: boolean;
}

/** Options of `state scan`. */
export interface StateScanOptions extends StateOptions {
  readonly keyGroups?: string;
  readonly limit?: string;
}

/** A call of one of the commands. */
export type StateCall =
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

const { bold } = PAINTED_STYLE;

const STATE_HELP = `
A checkpoint is named by its directory, such as checkpoints/<job>/chk-7 or a savepoint, by the
_metadata in it, or by the directory of its job, which stands for the newest one. Nothing is
ever changed in it, and no job is needed.

${bold('Exit codes:')}
  0  done
  1  get: the key has no such state
  2  the call is wrong: no such checkpoint, operator or state; or the checkpoint is damaged

${bold('Examples:')}
  millrace state ls savepoints/savepoint-3f2a91-0b1c2d3e4f5a
  millrace state get checkpoints/3f2a91/chk-7 totals sum alice
  millrace state scan checkpoints/3f2a91 totals sum --key-groups 0-31 --json | jq .value`;

/** Adds the commands. */
export function addStateCommands(program: Command, act: (call: StateCall) => Promise<void>): void {
  const state = program
    .command('state')
    .description('Look into the state of a checkpoint or savepoint.')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', STATE_HELP);

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
}

function withJson(command: Command): Command {
  return command.option('--json', 'print JSON lines');
}
