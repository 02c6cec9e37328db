/**
 * What components share: the live state, and answers of the server that are asked for again when something has changed.
 * Callers: the screens. Runs on: the page's thread.
 */
import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { assert } from '../base/assert.js';
import type { Client } from '../rest/client.js';
import type { Question } from './action-dialog.js';
import type { Live, LiveState } from './live.js';

/** Where components find the link to the server. */
export const LiveContext = createContext<Live | null>(null);

/** Where components ask before they do something; the answer outlives what asked. */
export const AskContext = createContext<(question: Question) => void>(() => {});

/** The link to the server. */
export function useClient(): Client {
  return useLink().client;
}

export function useLink(): Live {
  const live = useContext(LiveContext);
  assert(live !== null, 'Components are below the shell.');
  return live;
}

/** The state of a link, at every change. */
export function useLive(live: Live): LiveState {
  const [state, setState] = useState(live.state);
  useEffect(() => live.subscribe(setState), [live]);
  return state;
}

/** An answer of the server. */
export interface Answer<T> {
  /** The last one; null before the first. */
  readonly value: T | null;
  readonly error: Error | null;
}

/**
 * Asks when `key` is another, which forgets what was answered, and again when `version` is another; not before the last
 * answer has come, so that a slow server is asked as often as it answers. Null asks nothing.
 */
export function useAnswer<T>(
  key: string | null,
  version: unknown,
  ask: () => Promise<T>,
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { readonly key: string | null }>({
    key,
    value: null,
    error: null,
  });
  const latest = useRef<{ key: string | null; ask: () => Promise<T> }>({ key, ask });
  latest.current = { key, ask };
  const underWay = useRef<string | null>(null);
  const isStale = useRef(false);
  useEffect(() => {
    if (key === null) return;
    const request = (): void => {
      isStale.current = underWay.current === key;
      if (isStale.current) return;
      underWay.current = key;
      const take = (value: T | null, error: Error | null): void => {
        if (latest.current.key !== key) return;
        underWay.current = null;
        setAnswer((last) => {
          return { key, value: value ?? (last.key === key ? last.value : null), error };
        });
        if (isStale.current) request();
      };
      latest.current.ask().then(
        (value) => take(value, null),
        (error: unknown) => take(null, error instanceof Error ? error : new Error(String(error))),
      );
    };
    request();
  }, [key, version]);
  useEffect(
    () => () => {
      latest.current = { key: null, ask };
    },
    [],
  );
  return answer.key === key ? answer : { value: null, error: null };
}
