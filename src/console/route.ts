/**
 * Where in the console one is, as the part of the address behind `#`, so that every place has a link and the console
 * works behind any prefix. Callers: the shell, links. Runs on: the page's thread; pure.
 */

/** The pages of a job, in the order of their tabs. */
export const JOB_TABS = [
  'graph',
  'checkpoints',
  'state',
  'memory',
  'events',
  'logs',
  'config',
] as const;
export type JobTab = (typeof JOB_TABS)[number];

/** A place. */
export type Route =
  | { readonly page: 'jobs' }
  | {
      readonly page: 'submit';
      /** The job that is to go on, and from which snapshot; absent for one of the bundles. */
      readonly restore?: { readonly jid: string; readonly from: string };
    }
  | {
      readonly page: 'job';
      readonly jid: string;
      readonly tab: JobTab;
      /** The chain whose drawer is open; null for none. */
      readonly vertex: string | null;
      /** The chain at the other end of the edge whose records are looked at; absent for none. */
      readonly to?: string;
    };

const ID = /^[0-9a-f]{32}$/;

/** The place that an address names; what names none is the list of jobs. */
export function parseRoute(hash: string): Route {
  const [page, jid = '', tabName = 'graph', vertex = '', to = ''] = hash
    .replace(/^#?\/?/, '')
    .split('/');
  if (page === 'submit') return submitRoute(jid, tabName);
  const tab = JOB_TABS.find((one) => one === tabName);
  if (page !== 'jobs' || !ID.test(jid) || tab === undefined) return { page: 'jobs' };
  if (tab !== 'graph' || !ID.test(vertex)) return { page: 'job', jid, tab, vertex: null };
  return { page: 'job', jid, tab, vertex, ...(ID.test(to) ? { to } : {}) };
}

function submitRoute(jid: string, encoded: string): Route {
  try {
    const from = decodeURIComponent(encoded);
    if (ID.test(jid)) return { page: 'submit', restore: { jid, from } };
  } catch {
    // Somebody has changed the address by hand.
  }
  return { page: 'submit' };
}

/** The address of a place. */
export function hrefOf(route: Route): string {
  if (route.page === 'submit' && route.restore !== undefined) {
    const { jid, from } = route.restore;
    return `#/submit/${jid}/${encodeURIComponent(from)}`;
  }
  if (route.page !== 'job') return `#/${route.page}`;
  const { jid, tab, vertex, to } = route;
  const edge = to === undefined ? '' : `/${to}`;
  if (vertex !== null) return `#/jobs/${jid}/${tab}/${vertex}${edge}`;
  return tab === 'graph' ? `#/jobs/${jid}` : `#/jobs/${jid}/${tab}`;
}
