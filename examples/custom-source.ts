/** A source of one's own: two paged feeds, read side by side by two subtasks. */
import { count, defineSource, job, print, sum } from 'millrace';

interface Order {
  region: string;
  id: number;
  total: number;
}

/** Stands for an HTTP client: a page of orders from `offset` on. */
async function fetchPage(region: string, offset: number): Promise<Order[]> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  const ids = Array.from({ length: 50 }, (_, index) => offset + index).filter((id) => id < 230);
  return ids.map((id) => ({ region, id, total: (id % 7) + 1 }));
}

const orders = defineSource<Order, string>({
  name: 'orders api',
  plan: () => ['eu', 'us'].map((region) => ({ id: region, data: region })),
  async *read(split, position) {
    for (let offset = position; ; offset += 50) {
      const page = await fetchPage(split.data, offset);
      if (page.length === 0) return;
      yield* page;
    }
  },
});

export default job('custom-source', (flow) => {
  flow
    .from(orders)
    .keyBy('region')
    .aggregate({ orders: count(), total: sum('total') })
    .to(print({ title: 'Orders by region', orderBy: 'region' }));
});
