import { describe, expect, it } from 'vitest';
import { aggregator, count, max } from '../../../src/api/aggregates.js';
import { col } from '../../../src/operator/expression-builder.js';
import type { Flow } from '../../../src/api/flow.js';
import { planOf, sink, source } from './graph-fixtures.js';

/**
 * What sources read and edges carry, without pre-aggregation, whose columns are the operator's
 * affair.
 */
const columnsOf = (build: (flow: Flow) => void) => {
  const plan = planOf(build, { preAggregate: false });
  return {
    read: plan.vertices.flatMap(({ source: from }) => (from === null ? [] : [from.columns])),
    carried: plan.edges.map(({ columns }) => columns),
  };
};

describe('column pruning', () => {
  it('reads and carries only what keys and aggregates use', () => {
    const { read, carried } = columnsOf((flow) => {
      flow
        .from(source())
        .filter(col('distance').gt(100))
        .keyBy('origin')
        .aggregate({ worst: max('delay') })
        .to(sink());
    });
    expect(read).toEqual([['delay', 'distance', 'origin']]);
    expect(carried).toEqual([['delay', 'origin']]);
  });

  it('reads for aggregators of the user what they add, and everything when that is hidden', () => {
    interface Flight {
      origin: string;
      delay: number;
      distance: number;
    }
    const rest = { merge: (a: number, b: number) => a + b, result: (sum: number) => sum };
    const late = aggregator({
      ...rest,
      create: () => 0,
      add: (sum: number, { delay }: Flight) => sum + delay,
    });
    const hidden = aggregator({
      ...rest,
      create: () => 0,
      add(size: number, flight: Flight) {
        return size + JSON.stringify(flight).length;
      },
    });
    const far = late.where(col('distance').gt(100));
    const read = [late, far, hidden].map((total) =>
      columnsOf((flow) => {
        flow.from(source<Flight>()).keyBy('origin').aggregate({ total }).to(sink());
      }),
    );
    expect(read).toEqual([
      { read: [['delay', 'origin']], carried: [['delay', 'origin']] },
      { read: [['delay', 'distance', 'origin']], carried: [['delay', 'distance', 'origin']] },
      { read: [null], carried: [null] },
    ]);
  });

  it('keeps everything for sinks that want it and functions whose use is hidden', () => {
    const hidden = (f: unknown) => JSON.stringify(f);
    expect(
      columnsOf((flow) => {
        flow.from(source()).rebalance().to(sink());
      }),
    ).toEqual({ read: [null], carried: [null] });
    expect(
      columnsOf((flow) => {
        flow.from(source()).rebalance().map(hidden).to(sink());
      }),
    ).toEqual({ read: [null], carried: [null] });
  });

  it('reads of nested objects what expressions use of them, renamed and filtered on the way', () => {
    interface Event {
      kind: string;
      bid: { price: number; url: string; at: { day: number; ms: number } } | null;
      person: { name: string };
    }
    const readOf = (build: (flow: Flow) => void) => {
      const { source: from } = planOf(build).vertices[0] ?? {};
      return { columns: from?.columns, paths: from?.paths };
    };
    expect(
      readOf((flow) => {
        flow
          .from(source<Event>())
          .filter(col('kind').eq('bid').and(col('bid').isNotNull()))
          .select({ offer: 'bid', day: col('bid').get('at').get('day'), who: 'person' })
          .select({ price: col('offer').get('price'), day: 'day' })
          .to(sink());
      }),
    ).toEqual({
      columns: ['bid', 'kind'],
      paths: [
        ['bid', 'at', 'day'],
        ['bid', 'price'],
      ],
    });
    expect(
      readOf((flow) => {
        const events = flow.from(source<Event>());
        events.select({ price: col('bid').get('price') }).to(sink());
        events.map(({ bid }) => bid).to(sink());
      }),
    ).toEqual({ columns: ['bid'], paths: [] });
    expect(
      readOf((flow) => {
        flow
          .from(source<Event>())
          .filter(col('bid').get('at').isNull())
          .select({ price: col('bid').get('price') })
          .to(sink());
      }).paths,
    ).toEqual([
      ['bid', 'at'],
      ['bid', 'price'],
    ]);
    expect(
      readOf((flow) => {
        flow
          .from(source<Event>())
          .filter(({ bid }) => bid !== null && bid.at.day > 3)
          .select({ offer: 'bid', who: col('person') })
          .map(({ offer, who: { name } }) => `${name} ${offer?.price}`)
          .to(sink());
      }),
    ).toEqual({
      columns: ['bid', 'person'],
      paths: [
        ['bid', 'at', 'day'],
        ['bid', 'price'],
        ['person', 'name'],
      ],
    });
  });

  it('sees into functions', () => {
    const { read, carried } = columnsOf((flow) => {
      flow
        .from(source())
        .filter((f) => f.delay > 15)
        .rebalance()
        .map(({ origin, destination }) => origin + destination)
        .to(sink());
    });
    expect(read).toEqual([['delay', 'destination', 'origin']]);
    expect(carried).toEqual([['destination', 'origin']]);
  });

  it('carries nothing when only the number of records matters', () => {
    const { read, carried } = columnsOf((flow) => {
      flow
        .from(source())
        .rebalance()
        .map(() => 1)
        .to(sink());
    });
    expect(read).toEqual([[]]);
    expect(carried).toEqual([[]]);
  });

  it('needs what a sink needs and what selections make it from', () => {
    const { read } = columnsOf((flow) => {
      flow
        .from(source())
        .select({ from: 'origin', hours: col('delay').div(60), unused: 'tags' })
        .to(sink({ columns: ['from', 'hours'] }));
    });
    expect(read).toEqual([['delay', 'origin']]);
  });

  it('needs what an explode takes its items from, and what is kept beside them', () => {
    const { read, carried } = columnsOf((flow) => {
      flow
        .from(source())
        .explode({ part: col('origin').split('-') })
        .keyBy('part')
        .aggregate({ worst: max('delay') })
        .to(sink());
    });
    expect(read).toEqual([['delay', 'origin']]);
    expect(carried[0]).not.toContain('origin');
  });

  it('drops the columns of a selection that nobody uses, with the fields they are made from', () => {
    const plan = planOf((flow) => {
      flow
        .from(source())
        .select({ from: 'origin', hours: col('delay').div(60) })
        .select({ from: 'from', twice: col('hours').mul(2) })
        .keyBy('from')
        .aggregate({ n: count() })
        .to(sink());
    });
    const [vertex] = plan.vertices;
    expect(vertex?.source?.columns).toEqual(['origin']);
    expect(
      vertex?.operators.flatMap(({ spec }) =>
        spec.kind === 'select' ? [spec.columns.map(({ name }) => name)] : [],
      ),
    ).toEqual([['from'], ['from']]);
  });

  it('needs before an edge, but does not carry, what only decides where a record goes', () => {
    const { read, carried } = columnsOf((flow) => {
      flow
        .from(source())
        .partitionBy((f, parallelism) => f.delay % parallelism)
        .select('origin')
        .to(sink());
    });
    expect(read).toEqual([['delay', 'origin']]);
    expect(carried).toEqual([['origin']]);
  });

  it('joins what several users of a stream need, each edge carrying its own', () => {
    const { read, carried } = columnsOf((flow) => {
      const flights = flow.from(source());
      flights.keyBy('origin').aggregate({ n: count() }).to(sink());
      flights
        .keyBy('destination')
        .aggregate({ worst: max('delay') })
        .to(sink());
    });
    expect(read).toEqual([['delay', 'destination', 'origin']]);
    expect(carried).toEqual([['origin'], ['delay', 'destination']]);
  });
});
