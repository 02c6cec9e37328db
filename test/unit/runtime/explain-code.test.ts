import { describe, expect, it } from 'vitest';
import { explain } from '../../../src/api/explain-job.js';
import { count, sum } from '../../../src/api/aggregates.js';
import { job } from '../../../src/api/job.js';
import type { Flow } from '../../../src/api/flow.js';
import { collection } from '../../../src/connector/collection/collection.js';
import { defineSink } from '../../../src/connector/custom/define-sink.js';
import { discard } from '../../../src/connector/discard/discard.js';
import { col } from '../../../src/operator/expression-builder.js';
import { explainJobCode } from '../../../src/runtime/explain-job.js';
import { resolveSettings } from '../../../src/runtime/settings.js';

const never = (): never => {
  throw new Error('Explaining calls no function of a job.');
};

function codeOf(build: (flow: Flow) => void, values: Readonly<Record<string, unknown>> = {}) {
  const settings = resolveSettings([{ origin: 'test', values: { parallelism: 1, ...values } }]);
  const definition = job('explained', build);
  return explainJobCode({
    job: definition,
    params: {},
    settings,
    baseDirectory: '.',
    signal: null,
  });
}

const orders = collection([{ city: 'Bern', total: 3 }]);

describe('generated code of a plan', () => {
  it('goes from chain to chain by the schemas of the edges between them', async () => {
    const chains = await codeOf((flow) => {
      flow
        .from(orders)
        .filter(col('total').gt(1))
        .keyBy('city')
        .aggregate({ orders: count(), total: sum('total') }, { uid: 'sums' })
        .to(discard());
    });
    expect(chains.map((chain) => chain.missing)).toEqual(chains.map(() => null));
    const text = chains.map((chain) => chain.code).join('\n');
    expect(text).toContain('Rows of input 0: { city: utf8, total: number }');
    expect(text).toContain('return function entries');
    expect(text).toContain('// count orders');
  });

  it('tells the sides of a join apart, whose records have fields of their own', async () => {
    const cities = collection([{ name: 'Bern', canton: 'BE' }]);
    const chains = await codeOf((flow) => {
      flow
        .from(orders)
        .keyBy('city')
        .join(flow.from(cities).keyBy('name'))
        .select(['total'], { canton: 'canton' })
        .to(discard());
    });
    const text = chains.map(({ code }) => code).join('\n');
    expect(text).toContain('Rows of input 0: { city: utf8, total: number }');
    expect(text).toContain('Rows of input 1: { name: utf8, canton: utf8 }');
  });

  it('shows the sizes that the settings give', async () => {
    const build = (flow: Flow): void => flow.from(orders).rebalance().to(discard());
    const [first] = await codeOf(build, { 'exchange.batchRows': 80 });
    // A builder of eighty rows is handed on when an eighth or less is left.
    expect(first?.code).toContain('>= 70');
  });

  it('calls no user function, touches no sink, and says what only running will tell', async () => {
    const sink = defineSink({ name: 'untouched', open: never });
    const chains = await codeOf((flow) => {
      flow.from(orders).map(never, { name: 'first' }).rebalance().map(never).to(sink);
    });
    const [source, mapped, ...rest] = chains;
    expect(source?.code).toContain('return function rows0');
    const missing = chains.map((chain) => chain.missing).join('\n');
    expect(missing).toContain('What "first" returns is known only at run time');
    expect(missing).toMatch(/The schema of what arrives from \[\d\] is known only at run time\./);
    expect([mapped, ...rest].some((chain) => chain?.code === null)).toBe(true);
  });

  it('is not there for sources that learn their schema by reading', async () => {
    const [source] = await codeOf((flow) => flow.from(collection([])).to(discard()));
    expect(source).toMatchObject({ code: null, missing: expect.stringContaining('when it reads') });
  });
});

describe('explain', () => {
  it('gives the plan that run would take, as text and as data', () => {
    const definition = job('explained', (flow, { limit = 1 }) => {
      flow.from(orders).filter(col('total').gt(limit)).to(discard());
    });
    const options = { params: { limit: 7 }, parallelism: 3, runtime: 'threads' } as const;
    const { text, plan } = explain({ ...definition, isImportable: true }, options);
    expect(text).toContain('explained: 2 vertices in 3 slots');
    expect(text).toContain('total > 7');
    expect(plan.vertices.map((vertex) => vertex.parallelism)).toEqual([1, 3]);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it('refuses a job that is wrong', () => {
    const definition = job('wrong', (flow) => flow.from(orders));
    expect(() => explain(definition)).toThrow(expect.objectContaining({ code: 'GRAPH_EMPTY' }));
    const options = { paralelism: 2 } as object;
    expect(() => explain(definition, options)).toThrow('paralelism');
  });
});
