/**
 * `millrace top`: the jobs of a server, live: on a terminal a block that is redrawn in place and listens to keys,
 * elsewhere a line for each job every few seconds, with `--json` one snapshot. Callers: `main.ts`. Runs on: the main
 * thread. Invariant: a server that has answered once may be away for a while; what it said last stays until it is back.
 */
import { MillraceError } from '../base/errors.js';
import { type Pause, pauseFor } from '../base/pause.js';
import type { Client } from '../rest/client.js';
import type { CommandContext } from './command-context.js';
import { EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.js';
import { onInterrupts } from './interrupts.js';
import { openKeyboard } from './keyboard.js';
import { processScreen, type Screen } from './screen.js';
import { reportRequestError, serverClient } from './server-link.js';
import type { ClientOptions } from './server-program.js';
import { chosenAfter, plainTopLines, topLines } from './top-lines.js';
import { topSnapshot, type TopSnapshot } from './top-snapshot.js';

/** How often a terminal is shown what is new, and how often a log is. */
const LIVE_MS = 1000;
const PLAIN_MS = 5000;

/** Shows the jobs until it is told to end; the exit code. */
export async function topCommand(options: ClientOptions, context: CommandContext): Promise<number> {
  try {
    const client = await serverClient(options);
    const first = await topSnapshot(client);
    const { json } = context;
    if (json === null) return await new Top(client, first, context).run();
    const { flows: _, ...snapshot } = first;
    json.line('top', snapshot);
    return EXIT_OK;
  } catch (error) {
    return reportRequestError(error, context);
  }
}

/** The dashboard, from its first frame to its last. */
class Top {
  readonly #client: Client;
  readonly #context: CommandContext;
  readonly #screen: Screen | null;
  #snapshot: TopSnapshot;
  #chosen: string | null = null;
  #isOpen = false;
  #said = '';
  #exitCode: number | null = null;
  #pause: Pause = pauseFor(0);

  constructor(client: Client, first: TopSnapshot, context: CommandContext) {
    this.#client = client;
    this.#context = context;
    this.#snapshot = first;
    this.#screen = context.isLive ? processScreen(context) : null;
  }

  async run(): Promise<number> {
    const interrupts = onInterrupts({ cancel: () => this.#end(EXIT_INTERRUPTED) });
    const raise = (signal: 'SIGINT' | 'SIGTSTP'): void => void process.kill(process.pid, signal);
    const keyboard =
      this.#screen === null ? null : openKeyboard(process.stdin, (key) => this.#press(key), raise);
    try {
      this.#show();
      while (this.#exitCode === null) {
        this.#pause = pauseFor(this.#screen === null ? PLAIN_MS : LIVE_MS);
        await this.#pause.over;
        if (this.#exitCode !== null) break;
        await this.#look();
        this.#show();
      }
      return this.#exitCode;
    } finally {
      keyboard?.release();
      interrupts.release();
      this.#screen?.close([]);
    }
  }

  async #look(): Promise<void> {
    try {
      this.#snapshot = await topSnapshot(this.#client);
      this.#said = '';
    } catch (error) {
      if (!MillraceError.is(error) || error.code !== 'SERVER_UNREACHABLE') throw error;
      this.#said = `${error.message} Trying again.`;
    }
  }

  #show(): void {
    const { stdout, style } = this.#context;
    if (this.#screen === null) {
      const lines = this.#said === '' ? plainTopLines(this.#snapshot) : [this.#said];
      stdout.write(`${lines.join('\n')}\n`);
      return;
    }
    const { columns, rows } = this.#screen;
    this.#screen.draw(
      topLines({
        snapshot: this.#snapshot,
        chosen: this.#chosen,
        isOpen: this.#isOpen,
        said: this.#said,
        columns,
        rows,
        style,
      }),
    );
  }

  #press(key: string): void {
    if (key === 'q') this.#end(EXIT_OK);
    else if (key === 'j' || key === 'down') this.#choose(1);
    else if (key === 'k' || key === 'up') this.#choose(-1);
    else if (key === '\r') this.#isOpen = !this.#isOpen;
    else return;
    if (this.#exitCode === null) this.#show();
  }

  #choose(by: number): void {
    this.#chosen = chosenAfter(this.#snapshot, this.#chosen, by);
  }

  #end(code: number): void {
    this.#exitCode ??= code;
    this.#pause.end();
  }
}
