/**
 * Orders joined with the customers of an HTTP service: each customer is asked for once, then found in the cache. Start the
 * service with `node examples/customer-lookup.ts` (from Node 22.18 on), then, beside it:
 *
 *   millrace run examples/customer-lookup.ts -p 2
 */
import { Agent, createServer, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { col, csv, job, ndjson } from 'millrace';

interface Customer {
  name: string;
  country: string;
}

const CUSTOMERS: Readonly<Record<string, Customer>> = {
  ada: { name: 'Ada Lovelace', country: 'GB' },
  barbara: { name: 'Barbara Liskov', country: 'US' },
  edsger: { name: 'Edsger Dijkstra', country: 'NL' },
};

/** The service: `GET /customers/ada`. */
export const service = createServer((request, response) => {
  const customer = CUSTOMERS[request.url?.slice('/customers/'.length) ?? ''];
  response.writeHead(customer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(customer ?? { error: 'no such customer' }));
});

/** The body of an answer, null when there is nothing at that address. */
function fetchJson<T>(url: string, agent: Agent, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    get(url, { agent, signal }, async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      if (response.statusCode === 200) resolve(JSON.parse(Buffer.concat(parts).toString()));
      else if (response.statusCode === 404) resolve(null);
      else reject(new Error(`${url} answered with ${response.statusCode}.`));
    }).on('error', reject);
  });
}

const orders = fileURLToPath(new URL('data/orders.csv', import.meta.url));

interface Parameters {
  url?: string;
  out?: string;
}

export default job(
  'customer-lookup',
  (flow, { url = 'http://localhost:3001', out = 'out/customers' }: Parameters) => {
    flow
      .from(csv(orders))
      .select({ order: 'order', customer: col('customer').trim().lower() })
      .lookupJoin({
        key: 'customer',
        open: () => new Agent({ keepAlive: true }),
        lookup: (customer, { client, signal }) =>
          fetchJson<Customer>(`${url}/customers/${customer}`, client, signal),
        close: (agent) => agent.destroy(),
        type: 'left',
        cache: { maxRows: 1000, expireAfterWrite: '10m' },
        retry: { maxAttempts: 3, delay: '50ms', multiplier: 2 },
        timeout: '10s',
      })
      .select(['order', 'customer'], ['name', 'country'], { uid: 'customers' })
      .to(ndjson(out, { ifExists: 'replace' }));
  },
);

// Slots load this file too, and have the path of the program.
if (isMainThread && process.argv[1] === import.meta.filename) service.listen(3001);
