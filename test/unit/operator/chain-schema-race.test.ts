import { describe, expect, it } from 'vitest';
import { STEP_DONE } from '../../../src/operator/contract.js';
import { inferSchema } from '../../../src/record/infer.js';
import { batchOf, type ChainUnderTest, chainOf, line, op, untilDone } from './chain-harness.js';

const records = Array.from({ length: 200 }, (_, id) => ({ id }));
/** Looks at the schema within which another subtask may have one agreed on. */
const LOOKS = 12;

/** Lets another subtask propose a schema just before the chain looks for the n-th time. */
function proposeAtLook(chain: ChainUnderTest, look: number, record: unknown): void {
  const [schemas] = chain.schemas;
  const current = schemas.current.bind(schemas);
  let looks = 0;
  schemas.current = () => {
    if (looks++ === look) schemas.propose(inferSchema([record]));
    return current();
  };
}

function idsOf(chain: ChainUnderTest): readonly unknown[] {
  const batch = batchOf(records);
  untilDone((cursor) => chain.task.step(0, batch, cursor, 64));
  untilDone((cursor) => chain.task.endOfInput(cursor, 64));
  untilDone(() => (chain.task.flush() ? STEP_DONE : 1));
  return chain.ports[0].left.map((left) => Reflect.get(Object(left.record), 'id'));
}

describe('a schema that another subtask has agreed on at any moment', () => {
  const ids = records.map((record) => record.id);

  it.each([
    ['the first one', { id: 1, text: 'a' }],
    ['a wider one', { id: null, text: 'a', other: true }],
  ])('%s does not come between opening outputs and generating code', (_, record) => {
    for (let look = 0; look < LOOKS; look++) {
      const map = op.map(({ id }: { id: number }) => ({ id, text: `row ${id}` }));
      const chain = chainOf({ operators: line(map), capacity: 16 });
      proposeAtLook(chain, look, record);
      expect(idsOf(chain)).toEqual(ids);
    }
  });
});
