import { describe, expect, it } from 'vitest';
import type { Flow } from '../../../src/api/flow.js';
import { job } from '../../../src/api/job.js';
import type { Stream } from '../../../src/api/stream.js';
import { MillraceError } from '../../../src/base/errors.js';
import { explainText } from '../../../src/graph/explain-text.js';
import { type Flight, planOf, sink, source } from './graph-fixtures.js';

function failure(build: (flow: Flow) => unknown): MillraceError {
  try {
    planOf((flow) => {
      build(flow);
    });
  } catch (error) {
    if (MillraceError.is(error)) return error;
  }
  throw new Error('Nothing was thrown.');
}

const again = (loop: Stream<Flight>) => {
  const late = loop.filter((flight) => flight.delay > 0);
  return { feedback: late, output: late };
};

describe('a loop in a plan', () => {
  it('has a head that starts a chain and a tail that stands where the head does', () => {
    const plan = planOf((flow) => {
      flow
        .from(source())
        .iterate(
          (loop) => {
            const one = loop.map((flight) => flight, { parallelism: 1 });
            return { feedback: one, output: one };
          },
          { uid: 'loop', maxIterations: 5, slotSharingGroup: 'other' },
        )
        .to(sink());
    });
    const place = (kind: string) => {
      const vertex = plan.vertices.find(({ operators }) =>
        operators.some(({ spec }) => spec.kind === kind),
      );
      return { slots: vertex?.slots, group: vertex?.slotSharingGroup };
    };
    expect(place('feedback')).toEqual(place('loop'));
    expect(place('loop').group).toBe('other');
    const text = explainText(plan);
    expect(text).toContain('loop of at most 5 iterations');
    expect(text).toContain('back to "loop"');
    expect(text).toContain('"iterate" is the head of a loop, so it starts a chain.');
  });

  it('keeps its tail only when its head leads to a sink', () => {
    const operators = (build: (flow: Flow) => void) =>
      planOf(build).vertices.flatMap((vertex) => vertex.operators.map(({ spec }) => spec.kind));
    const unused = (flow: Flow): void => {
      const flights = flow.from(source());
      flights.iterate(again);
      flights.to(sink());
    };
    expect(operators(unused)).toEqual([]);
    const inside = (flow: Flow): void => {
      flow.from(source()).iterate((loop) => {
        loop.to(sink());
        return { feedback: loop.filter(() => false), output: loop };
      });
    };
    expect(operators(inside)).toContain('feedback');
  });

  it('refuses what would not end', () => {
    const endless = failure((flow) =>
      flow
        .from(source({ bounded: false }))
        .iterate(again)
        .to(sink()),
    );
    expect(endless.code).toBe('FEATURE_UNSUPPORTED');
    const nested = failure((flow) =>
      flow
        .from(source())
        .iterate((loop) => again(loop.iterate(again)), { name: 'outer' })
        .to(sink()),
    );
    expect(nested.code).toBe('FEATURE_UNSUPPORTED');
    expect(nested.message).toContain('inside of the loop "outer"');
    const timed = failure((flow) =>
      flow
        .from(source())
        .iterate((loop) => again(loop.assignTimestamps(() => 0)))
        .to(sink()),
    );
    expect(timed.code).toBe('GRAPH_INVALID');
    expect(timed.message).toContain('assigns event times inside of the loop "iterate"');
    const foreign = failure((flow) => {
      const flights = flow.from(source());
      flights.iterate((loop) => ({ feedback: flights, output: loop })).to(sink());
    });
    expect(foreign.message).toContain('does not come from the stream its body was given');
  });

  it('refuses bodies and options that are none', () => {
    const iterate = (...args: readonly unknown[]) =>
      failure((flow) => {
        const flights = flow.from(source());
        Reflect.apply(flights.iterate, flights, args);
      });
    expect(iterate('twice').message).toContain('takes a function');
    expect(iterate(() => ({ feedback: 1 })).message).toContain('gave no two streams');
    expect(iterate(() => ({ feedback: 1, output: 2 })).code).toBe('OPTION_INVALID');
    expect(iterate(again, { maxIterations: 0 }).code).toBe('OPTION_INVALID');
    expect(iterate(again, { maxIteration: 3 }).advice).toContain('maxIterations');
    const others: Stream<Flight>[] = [];
    job('other', (flow) => {
      const flights = flow.from(source());
      others.push(flights);
      flights.to(sink());
    }).build({});
    const foreign = iterate((loop: unknown) => ({ feedback: others[0], output: loop }));
    expect(foreign.message).toContain('another job');
  });
});
