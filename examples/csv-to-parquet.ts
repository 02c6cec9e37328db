/** An ETL job: CSV in, cleaned and typed, Parquet out. */
import { fileURLToPath } from 'node:url';
import { col, csv, job, parquet, when } from 'millrace';

const input = fileURLToPath(new URL('data/orders.csv', import.meta.url));

export default job('csv-to-parquet', (flow, { path = input, out = 'out/orders' }) => {
  flow
    .from(csv(path, { nulls: ['', 'n/a'] }))
    .filter(col('quantity').gt(0))
    .select({
      order: 'order',
      customer: col('customer').trim().lower(),
      day: col('placed').cast('timestamp').cast('date'),
      amount: col('quantity').mul(col('price')),
      size: when(col('quantity').gte(10)).then('bulk').otherwise('single'),
      note: 'note',
    })
    .to(parquet(out, { ifExists: 'replace' }));
});
