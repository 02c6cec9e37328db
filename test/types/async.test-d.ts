import type { LookupCall, RecordOf, Stream } from '../../src/index.js';
import { assertType, type Same } from './same.js';

interface Order {
  id: string;
  amount: number;
  currency: string;
  shop: number | null;
  tags: string[];
}
interface Rate {
  code: string;
  euros: number;
}
declare const orders: Stream<Order>;
declare const rates: { of(code: string): Promise<Rate | null>; close(): void };
declare function rateOf(code: string): Promise<Rate | undefined>;

// The client is what `open` gives, or what its promise gives.
orders.orderedWait(
  async (order, { client, attempt }) => {
    assertType<Same<typeof client, typeof rates>>();
    assertType<Same<typeof attempt, number>>();
    return { id: order.id, rate: await client.of(order.currency) };
  },
  { open: () => rates, close: (client) => client.close() },
);
orders.unorderedWait(
  async (_order, { client }) => {
    assertType<Same<typeof client, typeof rates>>();
    return 1;
  },
  { open: async () => rates },
);
orders.orderedWait(async (_order, { client }) => {
  assertType<Same<typeof client, undefined>>();
  return 1;
});
// error: Property 'off' does not exist on type
orders.orderedWait(async (order, { client }) => client.off(order.id), { open: () => rates });

// What `onTimeout` gives, or promises, is a result too.
const late = orders.orderedWait(async ({ id }) => ({ id, rate: 1 }), {
  onTimeout: async ({ id }) => ({ id, late: true }),
});
assertType<
  Same<RecordOf<typeof late>, { id: string; rate: number } | { id: string; late: boolean }>
>();
const plain = orders.unorderedWait(async ({ id }) => id, { onTimeout: (order) => order.amount });
assertType<Same<RecordOf<typeof plain>, string | number>>();
// error: Property 'idd' does not exist on type 'Order'
orders.orderedWait(async ({ id }) => id, { onTimeout: (order) => order.idd });

// The results that a strategy looks at are those of the function.
orders.orderedWait(async ({ amount }) => ({ amount }), {
  retry: { maxAttempts: 3, delay: '1s', ifResult: ([first]) => first?.amount === 0 },
});

// A look-up is given the key, by the field, the fields or the function that says it.
const inner = orders
  .lookupJoin({
    key: 'currency',
    lookup: async (currency) => {
      assertType<Same<typeof currency, string>>();
      return rateOf(currency);
    },
  })
  .apply((order, rate) => ({ id: order.id, euros: order.amount * rate.euros }));
assertType<Same<RecordOf<typeof inner>, { id: string; euros: number }>>();
orders.lookupJoin({
  key: ['currency', 'shop'],
  lookup: async (key) => {
    assertType<Same<typeof key, { readonly currency: string; readonly shop: number }>>();
    return [{ a: 1 }];
  },
});
orders.lookupJoin({
  key: (order) => order.amount % 100,
  lookup: (key) => {
    assertType<Same<typeof key, number>>();
    return { a: key };
  },
});

// Rows are those of an array, or the one there is; with 'left' there may be none.
const left = orders
  .lookupJoin({
    key: 'currency',
    open: async () => rates,
    lookup: async (currency, { client, signal }) => {
      assertType<Same<typeof client, typeof rates>>();
      assertType<Same<typeof signal, AbortSignal>>();
      return client.of(currency);
    },
    type: 'left',
    cache: { maxRows: 100, expireAfterWrite: '1m' },
    retry: { maxAttempts: 1, delay: 5, ifResult: (rows) => rows[0]?.euros === 0 },
    close: (client) => client.close(),
  })
  .select(['id'], { rate: 'euros' });
assertType<Same<RecordOf<typeof left>, { readonly id: string; readonly rate: number | null }>>();
const many = orders
  .lookupJoin({ key: 'id', lookup: async (id) => [{ tag: id }, { tag: 'x' }] })
  .select(['amount'], ['tag']);
assertType<Same<RecordOf<typeof many>, { readonly amount: number; readonly tag: string }>>();

// error: 'rate' is possibly 'null'
orders.lookupJoin({ key: 'id', lookup: rateOf, type: 'left' }).apply((_, rate) => rate.euros);
// error: No field 'currncy'; fields: 'amount' | 'currency' | 'id' | 'shop' | 'tags'
orders.lookupJoin({ key: 'currncy', lookup: rateOf });
// error: Field 'tags' cannot be a key
orders.lookupJoin({ key: 'tags', lookup: async () => null });
// error: No field 'euro'; fields: 'code' | 'euros'
orders.lookupJoin({ key: 'currency', lookup: rateOf }).select(['id'], ['euro']);
// error: Argument of type 'number' is not assignable to parameter of type 'string'
orders.lookupJoin({ key: 'amount', lookup: async (amount) => rateOf(amount) });
// error: Type '"full"' is not assignable to type 'LookupJoinType
orders.lookupJoin({ key: 'id', lookup: rateOf, type: 'full' });
// error: 'maxRow' does not exist in type 'LookupCacheOptions'
orders.lookupJoin({ key: 'id', lookup: rateOf, cache: { maxRow: 3 } });
// error: The key of a look-up is a value, not a promise of one
orders.lookupJoin({ key: async (order) => order.id, lookup: rateOf });

declare const call: LookupCall<string>;
// error: Property 'timestamp' does not exist on type
call.timestamp.toFixed();
