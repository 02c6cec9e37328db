import { describe, expect, it } from 'vitest';
import { attemptOf, type JobRecord, withRestart } from '../../../src/server/job-record.js';
import { fakePlan } from './fake-world.js';

describe('the attempts of a job that was submitted', () => {
  it('are counted for each chain: a part that restarts alone leaves the others in theirs', () => {
    const plan = fakePlan(1);
    const [source, sink] = plan.vertices;
    const before = { restarts: 0, plan } as unknown as JobRecord;
    const attemptsAfter = (...restarts: (readonly number[] | null)[]): number[] => {
      const record = restarts.reduce(withRestart, before);
      expect(record.restarts).toBe(restarts.length);
      return [source, sink].map((vertex) => attemptOf(record, vertex));
    };
    expect(attemptsAfter()).toEqual([0, 0]);
    expect(attemptsAfter(null, null)).toEqual([2, 2]);
    expect(attemptsAfter([source.id], null, [sink.id], [source.id])).toEqual([3, 2]);
  });
});
