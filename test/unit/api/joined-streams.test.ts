import { describe, expect, it } from 'vitest';
import type { Flow } from '../../../src/api/flow.js';
import { session, tumbling } from '../../../src/api/windows.js';
import { collectSink } from '../../../src/connector/collect/collect.js';
import { run } from '../../../src/index.js';
import { countEvictor } from '../../../src/operator/window/evictor.js';
import { countTrigger } from '../../../src/operator/window/trigger.js';
import { job } from '../../../src/api/job.js';
import { MillraceError } from '../../../src/base/errors.js';
import { explainText } from '../../../src/graph/explain-text.js';
import { fingerprint } from '../../../src/graph/plan-hash.js';
import { outputTag } from '../../../src/operator/process-function.js';
import type { Flight } from '../graph/graph-fixtures.js';
import { planOf, schema, sink, source } from '../graph/graph-fixtures.js';

const sides = (flow: Flow) => {
  const flights = flow.from(source());
  return { flights, left: flights.keyBy('origin'), right: flights.keyBy('destination') };
};
const pair = (a: Flight, b: Flight) => ({ a: a.delay, b: b.delay });

function specOf(build: (flow: Flow) => void) {
  for (const node of job('joins', build).build({}).nodes) {
    if (node.kind !== 'operator') continue;
    if (node.spec.kind === 'process' || node.spec.kind === 'join') return node.spec;
  }
  throw new Error('There is no join.');
}

/** What a process function of the engine was made of. */
function partsOf(spec: ReturnType<typeof specOf>) {
  return spec.kind === 'process' ? spec.of : undefined;
}

function failure(build: (flow: Flow) => unknown): MillraceError {
  try {
    job('joins', (flow) => {
      build(flow);
    }).build({});
  } catch (error) {
    if (MillraceError.is(error)) return error;
  }
  throw new Error('Nothing was thrown.');
}

describe('join', () => {
  it('is keyed on both sides, and says in the plan what it does', () => {
    const build = (flow: Flow): void => {
      const { left, right } = sides(flow);
      left.join(right, { ttl: '1h' }).apply(pair, { uid: 'pairs' }).to(sink());
    };
    expect(specOf(build)).toMatchObject({
      uid: 'pairs',
      name: 'join',
      keys: [['origin'], ['destination']],
      of: { join: 'inner', ttl: '1 h 0 m' },
    });
    expect(explainText(planOf(build))).toContain('join inner, ttl 1 h 0 m, apply (a,');
  });

  it('says in the plan which fields it takes, and carries no others', () => {
    const plan = planOf((flow) => {
      const { left, right } = sides(flow);
      left.join(right).select(['origin'], { late: 'delay' }).to(sink());
    });
    const text = explainText(plan).replaceAll(/\s+/g, ' ');
    expect(text).toContain('join inner, select of the first origin, of the second late = delay');
  });

  it('makes another plan of another type, ttl or function', () => {
    const prints = [
      specOf((flow) => sides(flow).left.join(sides(flow).right).apply(pair).to(sink())),
      specOf((flow) => {
        const { left, right } = sides(flow);
        left
          .join(right, { type: 'left' })
          .apply((a) => a)
          .to(sink());
      }),
    ].map(fingerprint);
    expect(new Set(prints).size).toBe(2);
  });

  it('refuses what is no keyed stream of the job', () => {
    expect(failure((flow) => sides(flow).left.join({} as never)).code).toBe('OPTION_INVALID');
    const unkeyed = failure((flow) => {
      const { left, flights } = sides(flow);
      left.join(flights as never);
    });
    expect(unkeyed.code).toBe('GRAPH_INVALID');
    expect(unkeyed.message).toContain('without a key');
    const others: ReturnType<typeof sides>[] = [];
    job('other', (flow) => {
      others.push(sides(flow));
      others[0]?.flights.to(sink());
    }).build({});
    const foreign = failure((flow) => {
      const [other] = others;
      if (other !== undefined) sides(flow).left.join(other.right);
    });
    expect(foreign.message).toContain('another job');
  });

  it('refuses options it does not have, and an outer join with a ttl or without an end', () => {
    const withOptions = (options: object) =>
      failure((flow) => {
        const { left, right } = sides(flow);
        left.join(right, options as never);
      });
    expect(withOptions({ kind: 'left' }).code).toBe('OPTION_UNKNOWN');
    expect(withOptions({ type: 'outer' }).code).toBe('OPTION_INVALID');
    expect(withOptions({ ttl: 'soon' }).code).toBe('UNIT_INVALID');
    expect(withOptions({ type: 'left', ttl: '1h' }).message).toContain('takes no ttl');
    const endless = failure((flow) => {
      const stream = flow.from(source({ bounded: false }));
      const keyed = stream.keyBy('origin');
      keyed.join(keyed, { type: 'full' }).apply((a) => a);
    });
    expect(endless.code).toBe('FEATURE_UNSUPPORTED');
    expect(endless.message).toContain('full join');
  });

  it('takes a function', () => {
    const error = failure((flow) => {
      const { left, right } = sides(flow);
      left.join(right).apply('both' as never);
    });
    expect(error.code).toBe('OPTION_INVALID');
  });
});

describe('intervalJoin', () => {
  it('takes bounds before and after, inclusive unless they are said not to be', () => {
    const between = (...args: Parameters<ReturnType<typeof joining>['between']>) =>
      specOf((flow) =>
        joining(flow)
          .between(...args)
          .apply(pair)
          .to(sink()),
      );
    const joining = (flow: Flow) => {
      const { left, right } = sides(flow);
      return left.intervalJoin(right);
    };
    const name = 'interval join between';
    expect(partsOf(between('-5s', '1m'))?.[name]).toBe('-5000 ms and 60000 ms');
    expect(partsOf(between(-3, 3, { lowerExclusive: true, upperExclusive: true }))?.[name]).toBe(
      '-2 ms and 2 ms',
    );
    expect(partsOf(between(' - 2s', '-1s', { upperExclusive: false }))?.[name]).toBe(
      '-2000 ms and -1000 ms',
    );
  });

  it('names its late tags in the plan', () => {
    const build = (flow: Flow): void => {
      const { left, right } = sides(flow);
      left
        .intervalJoin(right)
        .between(0, '1h')
        .sideOutputLeftLateData(outputTag<Flight>('tardy'))
        .process<{ n: number }>((a, b, out) => out.collect({ n: a.delay + b.delay }))
        .to(sink());
    };
    expect(partsOf(specOf(build))).toMatchObject({ 'late left': 'tardy', 'late right': null });
  });

  it('refuses an empty interval, parts of milliseconds and options it does not have', () => {
    const between = (...args: readonly unknown[]) =>
      failure((flow) => {
        const { left, right } = sides(flow);
        const joining = left.intervalJoin(right);
        Reflect.apply(joining.between, joining, args);
      });
    expect(between('5s', '1s').message).toContain('no time between');
    expect(between(0, 0, { upperExclusive: true }).code).toBe('OPTION_INVALID');
    expect(between(0.5, 1).message).toContain('0.5 ms');
    expect(between(Number.NaN, 1).code).toBe('UNIT_INVALID');
    expect(between('soon', 1).code).toBe('UNIT_INVALID');
    expect(between(0, 1, { exclusive: true }).code).toBe('OPTION_UNKNOWN');
    expect(between(0, 1, { lowerExclusive: 1 }).code).toBe('OPTION_INVALID');
  });
});

describe('select of joins', () => {
  const chosen = {
    join: (flow: Flow) => sides(flow).left.join(sides(flow).right, { type: 'full' }),
    window: (flow: Flow) => sides(flow).left.join(sides(flow).right).window(tumbling('1m')),
    interval: (flow: Flow) => sides(flow).left.intervalJoin(sides(flow).right).between(0, 1),
  };

  it.each(Object.entries(chosen))('of %s carries what it reads, by side', (_name, joined) => {
    const plan = planOf((flow) => {
      joined(flow).select(['delay'], { to: 'origin' }).to(sink());
    });
    expect(plan.edges.map(({ side, columns }) => [side, columns])).toEqual([
      [0, ['delay', 'origin']],
      [1, ['destination', 'origin']],
    ]);
    expect(explainText(plan)).toContain('to = origin');
  });

  it('carries whole records where functions or side outputs see them', () => {
    const late = outputTag<Flight>('late');
    const plan = planOf((flow) => {
      const { left, right } = sides(flow);
      const timed = left.intervalJoin(right).between(0, 1).sideOutputRightLateData(late);
      timed.select(['delay'], { to: 'origin' }).to(sink());
      const sessions = left.join(right).window(session('1m'));
      sessions.select(['delay'], { to: 'origin' }).to(sink());
    });
    expect(plan.edges.map(({ columns }) => columns)).toEqual([
      ['delay', 'origin'],
      null,
      null,
      null,
    ]);
  });

  it('gives the fields, null for a side that is not there', async () => {
    const found = collectSink<{ readonly name: string; readonly seen: number | null }>();
    const definition = job('chosen', (flow) => {
      flow
        .from([
          { id: 1, at: 5, name: 'ann' },
          { id: 2, at: 6, name: 'bob' },
        ])
        .assignTimestamps('at')
        .keyBy('id')
        .join(
          flow
            .from([{ of: 1, at: 7 }])
            .assignTimestamps('at')
            .keyBy('of'),
          { type: 'left' },
        )
        .window(tumbling(10))
        .select(['name'], { seen: 'at' })
        .to(found);
    });
    await run(definition, { runtime: 'in-thread' });
    expect(found.rows.toSorted((a, b) => (String(a.name) < String(b.name) ? -1 : 1))).toEqual([
      { name: 'ann', seen: 7 },
      { name: 'bob', seen: null },
    ]);
  });

  it('refuses fields that clash, that are not there, and what names none', () => {
    const select = (left: unknown, right: unknown) => {
      const call = (flow: Flow): void => {
        const flights = flow.from(source(), {
          schema: schema({ delay: 'number', origin: 'utf8' }),
        });
        const joined = flights.keyBy('origin').join(flights.keyBy('origin'));
        Reflect.apply(joined.select, joined, [left, right]).to(sink());
      };
      try {
        planOf(call);
      } catch (error) {
        if (MillraceError.is(error)) return error;
      }
      throw new Error('Nothing was thrown.');
    };
    const clash = select(['delay'], ['delay']);
    expect(clash.code).toBe('OPTION_INVALID');
    expect(clash.message).toContain('both sides give a field "delay"');
    expect(clash.advice).toContain("{ theirDelay: 'delay' }");
    const unknown = select([], ['delaay']);
    expect(unknown.code).toBe('FIELD_UNKNOWN');
    expect(unknown.advice).toContain('delay');
    expect(select('delay', []).code).toBe('OPTION_INVALID');
    expect(select([], { a: 1 }).code).toBe('OPTION_INVALID');
  });
});

describe('joins in windows', () => {
  const windowed = (flow: Flow) => {
    const { left, right } = sides(flow);
    return left.join(right, { type: 'left' }).window(tumbling('1m'));
  };

  it('says in the plan what it does', () => {
    const build = (flow: Flow): void => {
      const late = outputTag<Flight>('late');
      windowed(flow)
        .allowedLateness('10s')
        .sideOutputRightLateData(late)
        .trigger(countTrigger(3))
        .evictor(countEvictor(2))
        .apply((a, b) => ({ a: a.delay, b: b?.delay ?? null }))
        .to(sink());
    };
    const text = explainText(planOf(build));
    expect(text).toContain('by origin and by destination: left join in windows of 1 m 0 s');
    expect(text).toContain('with a trigger, with an evictor');
    expect(text).toMatch(/late right\s+late/);
    const grouped = explainText(
      planOf((flow) => {
        const { left, right } = sides(flow);
        left
          .coGroup(right)
          .window(session('30s'))
          .apply((a, b) => [{ n: a.length + b.length }])
          .to(sink());
      }),
    );
    expect(grouped).toContain('co-group in sessions of 30.0 s, apply (a,');
  });

  it('may be outer without an end', () => {
    const build = (flow: Flow): void => {
      const endless = flow.from(source({ bounded: false })).keyBy('origin');
      endless
        .join(endless, { type: 'full' })
        .window(tumbling('1m'))
        .apply((a, b) => ({ a: a?.delay ?? null, b: b?.delay ?? null }))
        .to(sink());
    };
    expect(partsOf(specOf(build))).toMatchObject({ 'full join in': 'windows of 1 m 0 s' });
  });

  it('refuses what does not go together', () => {
    const ttl = failure((flow) => {
      const { left, right } = sides(flow);
      left.join(right, { ttl: '1h' }).window(tumbling('1m'));
    });
    expect(ttl.message).toContain('takes no ttl');
    const late = outputTag<Flight>('late');
    const byClock = failure((flow) => {
      const { left, right } = sides(flow);
      left
        .coGroup(right)
        .window(tumbling('1m', { time: 'processing' }))
        .sideOutputLeftLateData(late);
    });
    expect(byClock.message).toContain('sideOutputLeftLateData(...) is about event time');
    const merging = failure((flow) => {
      const { left, right } = sides(flow);
      left
        .join(right)
        .window(session('1m'))
        .trigger({ onElement: () => 'fire' })
        .apply(pair);
    });
    expect(merging.message).toContain('a trigger that can merge');
    const noTag = failure((flow) => windowed(flow).sideOutputLeftLateData('late' as never));
    expect(noTag.message).toContain('takes a tag');
    const noWindow = failure((flow) => {
      const { left, right } = sides(flow);
      left.coGroup(right).window('1m' as never);
    });
    expect(noWindow.message).toContain('takes windows');
    expect(failure((flow) => windowed(flow).apply(1 as never)).code).toBe('OPTION_INVALID');
  });
});
