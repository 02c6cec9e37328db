/**
 * `millrace dev`: runs a job while it is being written. A save bundles the module again, and the new code goes on with
 * the state of the old one; single keys do the rest. Callers: `main.ts`. Runs on: the main thread. Invariant: what is
 * kept to carry state over lies in a directory of its own, which goes with the command.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import { bundledModule } from '../runtime/job-bundle.js';
import { JobProcess } from '../runtime/job-process.js';
import { ForkedLink } from '../runtime/process-link.js';
import { resolveSettings, type Settings, type SettingsLayer } from '../runtime/settings.js';
import type { CommandContext } from './command-context.js';
import { CONFIG_NAMES } from './config-file.js';
import { type DevBuild, DevSession } from './dev-session.js';
import { DevTelling } from './dev-telling.js';
import { EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.js';
import { FileWatch } from './file-watch.js';
import { onInterrupts } from './interrupts.js';
import { checkModule, paramsOf, settingsLayers } from './job-call.js';
import { openKeyboard } from './keyboard.js';
import type { RunOptions } from './program.js';

/** Runs until it is told to end; the exit code. Throws what is wrong with the call. */
export async function devCommand(
  module: string,
  options: RunOptions,
  context: CommandContext,
): Promise<number> {
  const path = resolve(module);
  checkModule(path, module);
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-dev-'));
  const watch = new FileWatch((files) => {
    telling.changed(files);
    void session.changed();
  });
  const telling = new DevTelling(context, {
    slots: () => session.slots,
    metrics: () => session.metrics(),
  });
  let imported: readonly string[] = [path];
  const build = async (): Promise<DevBuild> => {
    try {
      const settings = await settingsOf(options, scratch);
      const { url, files } = await bundledModule(pathToFileURL(path).href);
      imported = files;
      return devBuild(url, options, settings, context);
    } catch (error) {
      // The place may be in a file that was never part of a module that compiled.
      if (MillraceError.is(error) && error.where.file !== undefined) {
        imported = [...new Set([...imported, error.where.file])];
      }
      throw error;
    } finally {
      watch.watch([...imported, ...configurationFiles(options)]);
    }
  };
  const session = new DevSession({
    clock: systemClock,
    scratch,
    build,
    discard: (savepoint) => rmSync(savepoint, { recursive: true, force: true }),
    tell: (event) => telling.tell(event),
  });
  const exitCode = await untilAsked(session, telling, context);
  watch.close();
  await session.close();
  telling.close();
  rmSync(scratch, { recursive: true, force: true });
  return exitCode;
}

/** What holds for a job that is being written, unless its author says otherwise. */
async function settingsOf(options: RunOptions, scratch: string): Promise<Settings> {
  const values = {
    'execution.checkpointing.interval': '10s',
    'execution.checkpointing.dir': join(scratch, 'checkpoints'),
    'execution.checkpointing.savepointDir': 'savepoints',
    'execution.checkpointing.externalizedCheckpointRetention': 'retainOnCancellation',
    'execution.checkpointing.fsync': 'never',
    // A failure waits for better code, not for better luck.
    'restartStrategy.type': 'none',
  };
  const own: SettingsLayer = { origin: 'millrace dev', values };
  return resolveSettings([own, ...(await settingsLayers(options, process.env, process.cwd()))]);
}

function devBuild(
  moduleUrl: string,
  options: RunOptions,
  settings: Settings,
  { json, stdout }: CommandContext,
): DevBuild {
  const baseDirectory = process.cwd();
  const columns = json === null && stdout.isTTY === true ? (stdout.columns ?? null) : null;
  const run = {
    kind: 'run',
    moduleUrl,
    jobName: options.job ?? null,
    params: paramsOf(options),
    settings,
    baseDirectory,
    columns,
    identity: null,
    awaitsAdmission: true,
    served: null,
  } as const;
  const directory = settings['execution.checkpointing.savepointDir'] ?? 'savepoints';
  return {
    key: JSON.stringify([moduleUrl, settings]),
    savepointDirectory: resolve(baseDirectory, directory),
    launch: () => new JobProcess(run, new ForkedLink(run, process)),
  };
}

/** Those that are not there yet may be written meanwhile. */
function configurationFiles({ config }: RunOptions): readonly string[] {
  const names = config === undefined ? CONFIG_NAMES : [config];
  return names.map((name) => resolve(name));
}

/** Runs the job and does what keys say, until one of them, or a signal, ends it; the exit code. */
async function untilAsked(
  session: DevSession,
  telling: DevTelling,
  { json }: CommandContext,
): Promise<number> {
  const keys: Readonly<Record<string, () => unknown>> = {
    h: () => telling.help(),
    r: () => session.restart(),
    c: () => session.startClean(),
    n: () => session.leaveOut(),
    p: () => session.pause(),
    s: () => session.savepoint(),
    q: () => end(EXIT_OK),
  };
  let end: (code: number) => void = () => {};
  const ended = new Promise<number>((settle) => {
    end = settle;
  });
  const interrupts = onInterrupts({ cancel: () => end(EXIT_INTERRUPTED) });
  const raise = (signal: 'SIGINT' | 'SIGTSTP'): void => void process.kill(process.pid, signal);
  const keyboard =
    json === null ? openKeyboard(process.stdin, (key) => keys[key]?.(), raise) : null;
  telling.open(keyboard !== null);
  await session.changed('start');
  const code = await ended;
  keyboard?.release();
  interrupts.release();
  return code;
}
