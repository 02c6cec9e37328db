/**
 * Where in the console one is, as the part of the address behind `#`, so that every place has a link and the console
 * works behind any prefix. Callers: the shell, links. Runs on: the page's thread; pure.
 */

/** The pages of a job, in the order of their tabs. */
export const JOB_TABS = ['graph', 'checkpoints', 'memory', 'events', 'logs', 'config'] as const;
export type JobTab = (typeof JOB_TABS)[number];

/** A place. */
export type Route =
  | { readonly page: 'jobs' }
  | { readonly page: 'submit' }
  | {
      readonly page: 'job';
      readonly jid: string;
      readonly tab: JobTab;
      /** The chain whose drawer is open; null for none. */
      readonly vertex: string | null;
    };

const ID = /^[0-9a-f]{32}$/;

/** The place that an address names; what names none is the list of jobs. */
export function parseRoute(hash: string): Route {
  const [page, jid = '', tabName = 'graph', vertex = ''] = hash.replace(/^#?\/?/, '').split('/');
  if (page === 'submit') return { page: 'submit' };
  const tab = JOB_TABS.find((one) => one === tabName);
  if (page !== 'jobs' || !ID.test(jid) || tab === undefined) return { page: 'jobs' };
  return { page: 'job', jid, tab, vertex: tab === 'graph' && ID.test(vertex) ? vertex : null };
}

/** The address of a place. */
export function hrefOf(route: Route): string {
  if (route.page !== 'job') return `#/${route.page}`;
  const { jid, tab, vertex } = route;
  if (vertex !== null) return `#/jobs/${jid}/${tab}/${vertex}`;
  return tab === 'graph' ? `#/jobs/${jid}` : `#/jobs/${jid}/${tab}`;
}
