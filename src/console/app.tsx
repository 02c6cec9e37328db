/**
 * The shell of the console: the bar on top, the page that the address names, what lies over it while the server is away
 * or asks for a token. Callers: `main.tsx`. Runs on: the page's thread.
 */
import { useEffect, useState } from 'preact/hooks';
import { ActionDialog, type Question } from './action-dialog.js';
import { countOf } from './format.js';
import { AskContext, LiveContext, useAnswer, useLive } from './hooks.js';
import { JobPage } from './job-page.js';
import { JobsScreen } from './jobs-screen.js';
import type { Live, LiveState } from './live.js';
import { hrefOf, parseRoute, type Route } from './route.js';
import { SubmitScreen } from './submit-screen.js';
import { nextTheme, themeOf, useTheme } from './theme.js';

/** Everything. */
export function App({ live }: { readonly live: Live }) {
  const state = useLive(live);
  const route = useRoute();
  const [question, setQuestion] = useState<Question | null>(null);
  const jid = route.page === 'job' ? route.jid : null;
  useEffect(() => live.watch(jid), [live, jid]);
  useEffect(() => {
    const name = state.jobs.find((job) => job.jid === jid)?.name;
    document.title = name === undefined ? 'Millrace' : `${name} · Millrace`;
  }, [jid, state.jobs]);
  return (
    <LiveContext.Provider value={live}>
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to the page
      </a>
      <TopBar route={route} state={state} live={live} />
      <AskContext.Provider value={setQuestion}>
        <main id="main" tabIndex={-1}>
          <Page route={route} state={state} />
        </main>
      </AskContext.Provider>
      {question !== null && <ActionDialog question={question} onClose={() => setQuestion(null)} />}
      {state.link === 'locked' && <TokenForm live={live} isWrong={state.isTokenWrong} />}
      {state.link === 'lost' && <LostOverlay />}
    </LiveContext.Provider>
  );
}

/** The address belongs to the place, so the jump is made by hand. */
function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = (): void => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}

function Page({ route, state }: { readonly route: Route; readonly state: LiveState }) {
  if (state.link === 'connecting') return <p class="hint">Connecting…</p>;
  if (route.page === 'submit') {
    const { restore = null } = route;
    return <SubmitScreen key={hrefOf(route)} restore={restore} jobs={state.jobs} />;
  }
  if (route.page === 'job') return <JobPage key={route.jid} route={route} state={state} />;
  return <JobsScreen state={state} />;
}

function TopBar({
  route,
  state,
  live,
}: {
  readonly route: Route;
  readonly state: LiveState;
  readonly live: Live;
}) {
  const current = (page: Route['page']) => (route.page === page ? 'page' : undefined);
  return (
    <header class="bar">
      <a class="brand" href={hrefOf({ page: 'jobs' })}>
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <rect width="32" height="32" rx="7" fill="#1f6f6b" />
          <path
            d="M4 12c4-4 8 4 12 0s8 4 12 0M4 20c4-4 8 4 12 0s8 4 12 0"
            fill="none"
            stroke="#fff"
            stroke-width="3"
            stroke-linecap="round"
          />
        </svg>
        Millrace
      </a>
      <nav aria-label="Pages">
        <a href={hrefOf({ page: 'jobs' })} aria-current={current('jobs')}>
          Jobs
        </a>
        <a href={hrefOf({ page: 'submit' })} aria-current={current('submit')}>
          Submit
        </a>
      </nav>
      <span class="spring" />
      <Overview state={state} live={live} />
      <ThemeButton />
    </header>
  );
}

/** Slots and version; a server that has come back as another version has other pages. */
function Overview({ state, live }: { readonly state: LiveState; readonly live: Live }) {
  const version = state.jobs.map((job) => job.state).join();
  const isLive = state.link === 'live';
  const { value } = useAnswer(isLive ? 'overview' : null, version, () => live.client.overview());
  const [first, setFirst] = useState<string | null>(null);
  useEffect(() => {
    if (value === null) return;
    if (first === null) setFirst(value['flink-version']);
    else if (first !== value['flink-version']) location.reload();
  }, [value, first]);
  if (value === null) return null;
  const used = value['slots-total'] - value['slots-available'];
  return (
    <span class="facts">
      <span title="Slots that jobs hold, of all slots of the server">
        <b>{used}</b> of {countOf(value['slots-total'], 'slot')} in use
      </span>
      {value['jobs-queued'] > 0 && <span>{countOf(value['jobs-queued'], 'job')} waiting</span>}
      <span class="quiet">{value['flink-version']}</span>
      <span class={`dot ${isLive ? 'ok' : 'bad'}`} title={isLive ? 'Live' : 'No connection'} />
    </span>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useTheme();
  const next = nextTheme(theme);
  return (
    <button type="button" class="plain" onClick={() => setTheme(next)} title={`Theme: ${theme}`}>
      <span aria-hidden="true">{themeOf(theme)}</span>
      <span class="hidden">
        Theme is {theme}; choose {next}
      </span>
    </button>
  );
}

function LostOverlay() {
  return (
    <div class="overlay" role="alert">
      <div class="notice">
        <span class="spinner" aria-hidden="true" />
        <div>
          <b>The server does not answer.</b>
          <p>
            What you see is the last that was heard. Jobs go on from their checkpoints when the
            server is started again: <code>millrace server</code>. This page comes back by itself.
          </p>
        </div>
      </div>
    </div>
  );
}

function TokenForm({ live, isWrong }: { readonly live: Live; readonly isWrong: boolean }) {
  const [token, setToken] = useState('');
  const unlock = (event: Event): void => {
    event.preventDefault();
    live.unlock(token.trim());
  };
  return (
    <div class="overlay solid" role="dialog" aria-modal="true" aria-label="Token">
      <form class="notice" onSubmit={unlock}>
        <label>
          <b>This server asks for a token.</b>
          <p>It is in the file that the server was started with, or in MILLRACE_TOKEN.</p>
          <input
            type="password"
            autocomplete="current-password"
            value={token}
            autofocus
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        {isWrong && <p class="bad">The server does not take this token.</p>}
        <button type="submit" class="primary" disabled={token.trim() === ''}>
          Open
        </button>
      </form>
    </div>
  );
}
