/**
 * What `millrace dev` says: on a terminal the live view of `run` with a line of keys, elsewhere plain lines, with
 * `--json` an object a line. Callers: `dev-command.ts`. Runs on: the main thread.
 */
import { toWire } from '../base/errors.js';
import { formatDuration } from '../base/units.js';
import { functionLine } from '../rest/job-log-line.js';
import type { ExecutionEvent } from '../runtime/execution.js';
import { BadRecords } from './bad-records.js';
import { checkpointingLine } from './checkpointing-line.js';
import type { CommandContext } from './command-context.js';
import type { DevEvent, DevReason } from './dev-session.js';
import { errorReport } from './error-report.js';
import { badRecordMembers } from './json-view.js';
import { logText } from './log-text.js';
import { LiveView, PlainView, type RunView, type ViewedRun } from './run-view.js';
import { processScreen } from './screen.js';
import { shortPath } from './short-path.js';

const HELP: readonly (readonly [string, string])[] = [
  ['r', 'restart, with the state'],
  ['c', 'clean start, without the state'],
  ['n', 'newest code, leaving out state that it does not take up'],
  ['p', 'pause, or go on'],
  ['s', 'take a savepoint'],
  ['h', 'this help'],
  ['q', 'quit'],
];
const WHY: Readonly<Record<DevReason, string>> = {
  start: 'runs',
  change: 'runs the new code',
  restart: 'was restarted',
  clean: 'was started from the beginning',
  unpause: 'goes on',
  rollback: 'goes on with the code before',
};
const REFUSED: Readonly<Record<string, string>> = {
  compile: 'The new code is not run',
  plan: 'The new code is not run',
  savepoint: 'The state could not be saved, so the new code is not run',
  restore: 'The new code could not go on with the state',
};

/** The telling. */
export class DevTelling {
  readonly #context: CommandContext;
  readonly #run: ViewedRun;
  readonly #badRecords = new BadRecords(process.cwd());
  #view: RunView | null = null;
  #hasKeys = false;

  constructor(context: CommandContext, run: Omit<ViewedRun, 'whyNoOutput'>) {
    this.#context = context;
    this.#run = { ...run, slots: run.slots, whyNoOutput: () => [] };
  }

  /** `hasKeys` says whether somebody can press them. */
  open(hasKeys: boolean): void {
    const { json, isLive, stderr, style } = this.#context;
    this.#hasKeys = hasKeys;
    if (json !== null) return;
    if (hasKeys) stderr.write(style.dim('Press h for what keys do.\n'));
    this.#view = isLive
      ? new LiveView(this.#run, processScreen(this.#context), style)
      : new PlainView(this.#run, stderr);
  }

  help(): void {
    const { style } = this.#context;
    this.#say(HELP.map(([key, what]) => `  ${style.bold(key)}  ${what}`).join('\n'));
  }

  changed(files: readonly string[]): void {
    const names = files.map((file) => shortPath(file, process.cwd()));
    this.#context.json?.line('changed', { files });
    this.#say(this.#context.style.dim(`changed: ${names.join(', ')}`));
  }

  tell(event: DevEvent): void {
    if (event.type === 'event') return this.#tellEvent(event.event);
    this.#tellJson(event);
    const line = this.#lineOf(event);
    if (line !== null) this.#say(line);
  }

  close(): void {
    this.#view?.close([]);
  }

  /** Above the view, since everything that is written goes there. */
  #say(text: string): void {
    if (this.#context.json === null) this.#context.stderr.write(`${text}\n`);
  }

  #tellEvent(event: ExecutionEvent): void {
    const { json } = this.#context;
    if (event.type === 'badRecord') {
      this.#badRecords.add(event.record);
      json?.line('badRecord', badRecordMembers(event.record));
    } else if (event.type === 'log') {
      const line = functionLine(event.line, event.attempt);
      json?.line('log', line);
      this.#say(logText(line, this.#context.style));
    } else if (event.type !== 'state') {
      const { type, ...members } = event;
      json?.line(type, members);
      // That it goes on is said when it runs.
      const line = event.type === 'restored' ? null : checkpointingLine(event, process.cwd());
      if (line !== null) this.#say(line);
    }
  }

  #tellJson(event: Exclude<DevEvent, { readonly type: 'event' }>): void {
    const { json } = this.#context;
    if (json === null) return;
    const { type, ...members } = event;
    if ('error' in members) json.line(type, { ...members, error: toWire(members.error) });
    else if (event.type === 'finished') json.line('result', event.result);
    else json.line(type, members);
  }

  #lineOf(event: Exclude<DevEvent, { readonly type: 'event' }>): string | null {
    const { style } = this.#context;
    switch (event.type) {
      case 'running': {
        const { why, from, tookMs, awayMs } = event;
        const state = from === null ? '' : `, with its state`;
        const took =
          why === 'start' ? '' : ` after ${rounded(tookMs)}, away for ${rounded(awayMs)}`;
        return `${style.green('●')} The job ${WHY[why]}${state}${took}.`;
      }
      case 'unchanged':
        return style.dim('It comes to the same code, which goes on.');
      case 'refused':
        return `\n${this.#report(event.error)}\n\n${this.#refusal(event)}`;
      case 'finished': {
        const { durationMs, badRecords } = event.result;
        const bad = badRecords === 0 ? '' : `, ${badRecords} bad records`;
        const took = `${formatDuration(durationMs)}${bad}`;
        return `${style.green('●')} The job has finished in ${took}; a save runs it again.`;
      }
      case 'failed': {
        const next = event.from === null ? 'begins anew' : 'goes on from its last checkpoint';
        const failed = `${style.red('The job has failed')}; with the next change it ${next}.`;
        return `\n${this.#report(event.error)}\n\n${failed}`;
      }
      case 'paused':
        return `${style.yellow('●')} The job is paused${this.#hasKeys ? '; p lets it go on' : ''}.`;
      case 'savepoint':
        return `Savepoint ${shortPath(event.report.path ?? '', process.cwd())}`;
      case 'savepointFailed':
        return this.#report(event.error);
    }
  }

  #refusal({ at, runs }: Extract<DevEvent, { readonly type: 'refused' }>): string {
    const clean = this.#hasKeys ? ', or press c for a clean start' : '';
    const rest = runs ? 'the old code goes on' : `nothing runs; save again${clean}`;
    const ways = 'Press c to start it without the state, n to leave out what it has no place for.';
    const said = this.#context.style.yellow(`${REFUSED[at]}: ${rest}.`);
    return at === 'restore' && runs && this.#hasKeys ? `${said} ${ways}` : said;
  }

  #report(error: unknown): string {
    const { style } = this.#context;
    return errorReport(error, { style, plan: null, directory: process.cwd() });
  }
}

function rounded(ms: number): string {
  return formatDuration(Math.round(ms));
}
