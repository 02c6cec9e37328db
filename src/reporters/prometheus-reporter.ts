/**
 * Metrics that Prometheus comes for, at an address of their own. Callers: `reporters-of.ts`. Runs on: the host's
 * thread.
 */
import type { Server } from 'node:http';
import { httpClose, httpListen } from './http-listen.js';
import { prometheusText } from './prometheus-text.js';
import type { MetricReporter } from './reporter.js';
import type { OptionsOf } from './reporter-options.js';

/** The reporter. */
export function prometheusReporter({ host, port }: OptionsOf<'prometheus'>): MetricReporter {
  let server: Server | null = null;
  return {
    open: async ({ points }) => {
      server = await httpListen(host, port, ({ method, url = '' }, response) => {
        const isFound = /^\/(?:metrics)?(?:\?|$)/.test(url) && method === 'GET';
        const type = 'text/plain; version=0.0.4; charset=utf-8';
        if (isFound)
          response.writeHead(200, { 'content-type': type }).end(prometheusText(points()));
        else response.writeHead(404).end('The metrics are at /metrics.\n');
      });
    },
    close: () => httpClose(server),
  };
}
