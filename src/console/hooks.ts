/**
 * What components share: the live state, and answers of the server that are asked for again when something has changed.
 * Callers: the screens. Runs on: the page's thread.
 */
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { assert } from '../base/assert.js';
import type { Client } from '../rest/client.js';
import type { Live, LiveState } from './live.js';

/** Where components find the link to the server. */
export const LiveContext = createContext<Live | null>(null);

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
 * Asks when `key` is another, which forgets what was answered, and again when `version` is another. Null asks nothing.
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
  useEffect(() => {
    if (key === null) return undefined;
    let isWanted = true;
    const take = (value: T | null, error: Error | null): void => {
      if (!isWanted) return;
      setAnswer((last) => ({ key, value: value ?? (last.key === key ? last.value : null), error }));
    };
    ask().then(
      (value) => take(value, null),
      (error: unknown) => take(null, error instanceof Error ? error : new Error(String(error))),
    );
    return () => {
      isWanted = false;
    };
  }, [key, version]);
  return answer.key === key ? answer : { value: null, error: null };
}
