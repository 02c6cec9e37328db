import type { IntervalJoinedStreams, KeyedStream, RecordOf, Stream } from '../../src/index.js';
import { outputTag, session, tumbling } from '../../src/index.js';
import { assertType, type Same } from './same.js';

interface Order {
  id: string;
  total: number;
}
interface Payment {
  order: string;
  amount: number;
  attempt: number;
}
declare const orders: Stream<Order>;
declare const payments: Stream<Payment>;
declare const near: IntervalJoinedStreams<Order, Payment>;

const byId = orders.keyBy('id');
const byOrder = payments.keyBy('order');

// The function is given what the type of the join says.
const inner = byId.join(byOrder).apply((order, payment) => ({
  id: order.id,
  amount: payment.amount,
}));
assertType<Same<RecordOf<typeof inner>, { id: string; amount: number }>>();
const left = byId.join(byOrder, { type: 'left' }).apply((order, payment) => ({
  id: order.id,
  amount: payment?.amount ?? null,
}));
assertType<Same<RecordOf<typeof left>, { id: string; amount: number | null }>>();
// error: 'payment' is possibly 'null'
byId.join(byOrder, { type: 'left' }).apply((_order, payment) => payment.amount);
// error: 'order' is possibly 'null'
byId.join(byOrder, { type: 'right' }).apply((order) => order.id);
// error: 'order' is possibly 'null'
byId.join(byOrder, { type: 'full' }).apply((order) => order.id);
// error: Type '"outer"' is not assignable to type 'JoinType
byId.join(byOrder, { type: 'outer' });
// error: Property 'totl' does not exist on type 'Order'
byId.join(byOrder).apply((order) => order.totl);

// Both sides are keyed, by values of one type.
// error: Argument of type 'Stream<Payment>' is not assignable to parameter of type 'KeyedStream
byId.join(payments);
// error: The first side is keyed by 'id', the second by 'attempt'; their types differ
byId.join(payments.keyBy('attempt'));
// error: The first side is keyed by 'id', the second by 'attempt'; their types differ
byId.intervalJoin(payments.keyBy('attempt'));
declare const loose: KeyedStream<Payment, { key: unknown }>;
byId.join(loose).apply((order, payment) => payment.amount + order.total);

// Interval joins.
const soon = byId
  .intervalJoin(byOrder)
  .between('-5s', '1h', { upperExclusive: true })
  .apply((order, payment) => ({ id: order.id, left: order.total - payment.amount }));
assertType<Same<RecordOf<typeof soon>, { id: string; left: number }>>();
const waited = near.process<{ ms: number }>((_order, _payment, pair) => {
  pair.collect({ ms: pair.rightTimestamp - pair.leftTimestamp });
});
assertType<Same<RecordOf<typeof waited>, { ms: number }>>();
// error: 'lowerExlusive' does not exist
byId.intervalJoin(byOrder).between(0, 1, { lowerExlusive: true });
near.sideOutputLeftLateData(outputTag<Order>('late'));
// error: Argument of type 'OutputTag<Payment>' is not assignable
near.sideOutputLeftLateData(outputTag<Payment>('late'));

// Joins in windows.
const within = byId
  .join(byOrder, { type: 'left' })
  .window(tumbling('1m'))
  .sideOutputLeftLateData(outputTag<Order>('late'))
  .allowedLateness('5s')
  .apply((order, payment, { window, key }) => ({
    id: order.id,
    same: key.id,
    amount: payment?.amount ?? null,
    until: window.end,
  }));
assertType<
  Same<RecordOf<typeof within>, { id: string; same: string; amount: number | null; until: number }>
>();
const full = byId.join(byOrder, { type: 'full' }).window(tumbling('1m'));
// error: 'payment' is possibly 'null'
full.apply((_order, payment) => payment.amount);
const groups = byId.coGroup(byOrder).window(session('30s'));
const both = groups.apply(function* each(orders, payments) {
  for (const { total } of orders) yield { total, payments: payments.length };
});
assertType<Same<RecordOf<typeof both>, { total: number; payments: number }>>();
// error: Property 'totl' does not exist on type 'Order'
groups.apply((orders) => orders.map((order) => order.totl));
// error: The first side is keyed by 'id', the second by 'attempt'; their types differ
byId.coGroup(payments.keyBy('attempt'));
// error: Argument of type 'OutputTag<Payment>' is not assignable
groups.sideOutputLeftLateData(outputTag<Payment>('late'));

// Chosen fields.
const chosen = byId.join(byOrder, { type: 'left' }).select(['id', 'total'], { paid: 'amount' });
assertType<
  Same<
    RecordOf<typeof chosen>,
    { readonly id: string; readonly total: number; readonly paid: number | null }
  >
>();
const picked = byId.intervalJoin(byOrder).between(0, 1).select([], ['amount']);
assertType<Same<RecordOf<typeof picked>, { readonly amount: number }>>();
// error: No field 'totl'; fields: 'id' | 'total'
byId.join(byOrder).select(['totl'], []);
// error: No field 'amont'
byId.join(byOrder).select([], { paid: 'amont' });
// error: Both sides give 'order'; rename one
full.select({ order: 'id' }, ['order']);
