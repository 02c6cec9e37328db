import { collectSink, count, job, run } from '../../src/index.js';
import { describe, expect, it } from 'vitest';

describe('rows behind an explode that leave as they came', () => {
  it('leave once for each item, also where no item leaves with them', async () => {
    const rows = Array.from({ length: 3000 }, (_, id) => ({
      id,
      user: `u${id % 7}`,
      tags: Array.from({ length: id % 5 }, (__, tag) => tag),
    }));
    const out = collectSink<{ id: number; user: string; n: number }>();
    const definition = job('explode-dealing', (flow) => {
      flow
        .from(rows)
        .explode('tags')
        .keyBy('id', 'user')
        .aggregate({ n: count() }, { emit: 'final' })
        .to(out);
    });
    await run(definition, { settings: { 'aggregate.preAggregateKeys': 0 } });
    const expected = rows
      .filter(({ tags }) => tags.length > 0)
      .map(({ id, user, tags }) => ({ id, user, n: tags.length }));
    expect([...out.rows].sort((a, b) => a.id - b.id)).toEqual(expected);
  });
});
