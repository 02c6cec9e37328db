/**
 * Tells another program when metrics are not as they should be, and when they are again: rules are judged in each
 * interval, and what has changed is posted as JSON. What did not arrive is posted again in the next interval. Callers:
 * `reporters-of.ts`. Runs on: the host's thread. Invariant: alerts arrive in order, at least once, and no more of them
 * wait than a bound.
 */
import { type Alert, AlertStates, alertRules } from './alert-rules.js';
import { httpSend } from './http-send.js';
import type { MetricReporter } from './reporter.js';
import type { OptionsOf } from './reporter-options.js';

/** Alerts that wait for a receiver that is away; older ones go. */
const WAITING_MAX = 1000;

/** What is posted. */
interface WebhookBody {
  readonly version: 1;
  /** When it was judged, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly alerts: readonly Alert[];
}

/** The reporter. Throws OPTION_INVALID. */
export function webhookReporter(options: OptionsOf<'webhook'>): MetricReporter {
  const { url, authorization, rules } = options;
  const states = new AlertStates(alertRules(rules));
  const headers = {
    'content-type': 'application/json',
    ...(authorization === '' ? {} : { authorization }),
  };
  const waiting: Alert[] = [];
  return {
    report: async (points, { atMs, signal }) => {
      waiting.push(...states.judge(points, atMs));
      waiting.splice(0, waiting.length - WAITING_MAX);
      if (waiting.length === 0) return;
      const alerts = [...waiting];
      const told: WebhookBody = { version: 1, atMs: Math.round(atMs), alerts };
      await httpSend({ method: 'POST', url, headers, body: JSON.stringify(told), signal });
      waiting.splice(0, alerts.length);
    },
  };
}
