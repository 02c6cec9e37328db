/**
 * What the console knows at this moment: how its link to the server stands, all jobs, what flows through the one that
 * is looked at. It follows the server's events and comes back by itself when the server does. Callers: the shell. Runs
 * on: the page's thread. Invariant: every history has a bound.
 */
import { systemClock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import { type Client, createClient } from '../rest/client.js';
import type { RestEvent } from '../rest/event-reader.js';
import type { JobFlow, JobLoad, JobSummary, Load } from '../rest/job-schemas.js';

/** How the link to the server stands; `locked` waits for a token. */
export type Link = 'connecting' | 'live' | 'lost' | 'locked';

/** What is known. */
export interface LiveState {
  readonly link: Link;
  /** The server's clock. */
  readonly nowMs: number;
  readonly jobs: readonly JobSummary[];
  readonly loads: ReadonlyMap<string, JobLoad>;
  /** Records per second of each job, one for each second, the newest last. */
  readonly rates: ReadonlyMap<string, readonly number[]>;
  /** Of the job that is looked at. */
  readonly flow: JobFlow | null;
  /** Records per second of its chains, by their ids. */
  readonly flowRates: ReadonlyMap<string, readonly number[]>;
  /** Goes up with every event of a job, so that what is shown of it is asked for again. */
  readonly changes: ReadonlyMap<string, number>;
  /** Whether a token was refused. */
  readonly isTokenWrong: boolean;
}

/** Seconds of history that are kept. */
const HISTORY_MAX = 180;
const RETRY_MS = 1000;
const TICK_MS = 1000;

const NOTHING: LiveState = {
  link: 'connecting',
  nowMs: 0,
  jobs: [],
  loads: new Map(),
  rates: new Map(),
  flow: null,
  flowRates: new Map(),
  changes: new Map(),
  isTokenWrong: false,
};

/** Where tokens are kept: for this tab, until it is closed. */
export interface TokenStore {
  get(): string | null;
  set(token: string): void;
}

/** Follows a server. */
export class Live {
  state = NOTHING;
  client: Client;
  readonly #url: string;
  readonly #tokens: TokenStore;
  readonly #listeners = new Set<(state: LiveState) => void>();
  #stream = new AbortController();
  #watched: string | null = null;
  /** What the server's clock is ahead of this one. */
  #aheadMs = 0;

  constructor(url: string, tokens: TokenStore) {
    this.#url = url;
    this.#tokens = tokens;
    this.client = this.#newClient();
    setInterval(() => this.#tick(), TICK_MS);
    void this.#follow(this.#stream.signal);
  }

  subscribe(listener: (state: LiveState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks at a job; null at none. */
  watch(jid: string | null): void {
    if (jid === this.#watched) return;
    this.#watched = jid;
    this.#set({ flow: null, flowRates: new Map() });
    this.#restart();
  }

  unlock(token: string): void {
    this.#tokens.set(token);
    this.client = this.#newClient();
    this.#restart();
  }

  #newClient(): Client {
    const token = this.#tokens.get();
    return createClient({ url: this.#url, ...(token === null ? {} : { token }) });
  }

  #restart(): void {
    this.#stream.abort();
    this.#stream = new AbortController();
    void this.#follow(this.#stream.signal);
  }

  /** Until it is to follow something else. */
  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const watch = this.#watched === null ? ['load'] : ['load', this.#watched];
        for await (const event of this.client.events(signal, watch)) this.#take(event);
      } catch (error) {
        if (signal.aborted) return;
        const code = MillraceError.is(error) ? error.code : null;
        if (code === 'REQUEST_FORBIDDEN') {
          const isTokenWrong = this.#tokens.get() !== null;
          return this.#set({ link: 'locked', isTokenWrong });
        }
        if (code === 'JOB_UNKNOWN') {
          // What is no longer there is not watched, but everything else is.
          this.#watched = null;
          continue;
        }
      }
      if (signal.aborted) return;
      this.#set({ link: 'lost' });
      await new Promise((resolve) => {
        setTimeout(resolve, RETRY_MS);
      });
    }
  }

  #take({ type, data }: RestEvent): void {
    const { jobs, changes } = this.state;
    const changed = (jid: string) => new Map(changes).set(jid, (changes.get(jid) ?? 0) + 1);
    if (type === 'jobs') {
      const { jobs: all } = data as { readonly jobs: readonly JobSummary[] };
      // Whatever is shown may have changed while nothing was heard.
      const isBack = this.state.link === 'lost';
      const again = new Map(all.map(({ jid }) => [jid, (changes.get(jid) ?? 0) + 1]));
      this.#set({ link: 'live', jobs: all, ...(isBack ? { changes: again } : {}) });
    } else if (type === 'job') {
      const job = data as JobSummary;
      const others = jobs.filter(({ jid }) => jid !== job.jid);
      const isNew = others.length === jobs.length;
      const next = isNew ? [job, ...jobs] : jobs.map((one) => (one.jid === job.jid ? job : one));
      this.#set({ jobs: next, changes: changed(job.jid) });
    } else if (type === 'load') {
      const { now, jobs: loads } = data as Load;
      this.#aheadMs = now - systemClock.epochMs();
      this.#set({ loads: new Map(loads.map((load) => [load.jid, load])) });
    } else if (type === 'flow') {
      const flow = data as JobFlow;
      if (flow.jid === this.#watched) this.#set({ flow });
    } else {
      this.#set({ changes: changed((data as { readonly jid: string }).jid) });
    }
  }

  /** Time goes on, and what flows is noted, also where it is as it was. */
  #tick(): void {
    const { link, loads, flow } = this.state;
    if (link !== 'live') return;
    const rates = [...loads.values()].map(({ jid, recordsPerSecond }) =>
      withSample(this.state.rates, jid, recordsPerSecond),
    );
    const flowRates = (flow?.vertices ?? []).map(({ id, recordsPerSecond }) =>
      withSample(this.state.flowRates, id, recordsPerSecond),
    );
    this.#set({ rates: new Map(rates), flowRates: new Map(flowRates) });
  }

  #set(part: Partial<LiveState>): void {
    const nowMs = systemClock.epochMs() + this.#aheadMs;
    this.state = { ...this.state, nowMs, ...part };
    for (const listener of this.#listeners) listener(this.state);
  }
}

function withSample(
  samples: ReadonlyMap<string, readonly number[]>,
  key: string,
  value: number,
): readonly [string, readonly number[]] {
  return [key, [...(samples.get(key) ?? []), value].slice(-HISTORY_MAX)];
}
