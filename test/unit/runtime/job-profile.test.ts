/** Whose time samples are, and what flame graphs and profiles of a chain show of them. */
import { describe, expect, it } from 'vitest';
import {
  type CpuProfile,
  flameGraph,
  hotFunctions,
  profileOfVertex,
  stacksOf,
  stacksOfPart,
  subtaskOfFrame,
} from '../../../src/runtime/job-profile.js';
import { framedStep } from '../../../src/runtime/subtask-frame.js';

interface Node {
  readonly id: number;
  readonly name: string;
  readonly url?: string;
  readonly children?: readonly number[];
}

function profileOf(nodes: readonly Node[], samples: readonly number[]): CpuProfile {
  return {
    nodes: nodes.map(({ id, name, url = '', children = [] }) => ({
      id,
      callFrame: { functionName: name, scriptId: '1', url, lineNumber: 11, columnNumber: 0 },
      children,
    })),
    startTime: 0,
    endTime: samples.length * 1000,
    samples,
    timeDeltas: samples.map(() => 1000),
  };
}

/** A slot with subtask 0 of chain 3 and subtask 1 of chain 4. */
const NODES: readonly Node[] = [
  { id: 1, name: '(root)', children: [2, 3, 9] },
  { id: 2, name: '(garbage collector)' },
  { id: 3, name: 'run', url: 'file:///m/slot.js', children: [4, 6, 8] },
  { id: 4, name: 'subtask', url: 'millrace:subtask/3/0', children: [5] },
  { id: 5, name: 'parse', url: 'file:///jobs/orders.mjs' },
  { id: 6, name: 'subtask', url: 'millrace:subtask/4/1', children: [7] },
  { id: 7, name: '', url: 'file:///jobs/orders.mjs' },
  { id: 8, name: 'park', url: 'file:///m/slot.js' },
  { id: 9, name: '(idle)' },
];
const SAMPLES = [2, 5, 5, 2, 7, 8, 9, 3, 5];
const stacks = stacksOf({ threads: [{ slot: 0, profile: profileOf(NODES, SAMPLES) }] });

describe('the samples of a thread', () => {
  it('belong to the subtask in whose step they were, collections to whom they interrupt', () => {
    const part = { vertex: 3, subtask: null, slots: [0] };
    expect(flameGraph(stacksOfPart(stacks, part, 'ON_CPU'))).toEqual({
      name: 'root',
      value: 4,
      children: [
        {
          name: 'parse orders.mjs:12',
          value: 4,
          children: [{ name: '(garbage collector)', value: 1, children: [] }],
        },
      ],
    });
    const other = stacksOfPart(stacks, { vertex: 4, subtask: 1, slots: [0] }, 'ON_CPU');
    expect(hotFunctions(other)).toEqual([{ name: '(anonymous) orders.mjs:12', hits: 1 }]);
    expect(stacksOfPart(stacks, { vertex: 4, subtask: 0, slots: [0] }, 'ON_CPU')).toEqual([]);
  });

  it('belong to every chain of a slot that waits', () => {
    const waiting = (slots: readonly number[]) =>
      flameGraph(stacksOfPart(stacks, { vertex: 4, subtask: null, slots }, 'OFF_CPU')).value;
    expect(waiting([0])).toBe(2);
    expect(waiting([1])).toBe(0);
    const all = stacksOfPart(stacks, { vertex: 4, subtask: null, slots: [0] }, 'FULL');
    expect(flameGraph(all).value).toBe(3);
  });

  it('are none of those of others in the profile of a chain', () => {
    const { nodes, samples = [] } = profileOfVertex(profileOf(NODES, SAMPLES), 3);
    const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
    expect(samples.map((id) => names.get(id))).toEqual([
      '(idle)',
      'parse',
      'parse',
      '(garbage collector)',
      ...['(idle)', '(idle)', '(idle)', '(idle)'],
      'parse',
    ]);
  });

  it('of a profile that has none are none', () => {
    expect(stacksOf({ threads: [{ slot: 0, profile: profileOf([], []) }] })).toEqual([]);
  });
});

it('the step of a subtask names it in stacks, and gives what it returns', () => {
  const stack = framedStep(7, 2, () => new Error('here').stack ?? '')();
  const [, url = ''] = /\((millrace:subtask\/\d+\/\d+)/.exec(stack) ?? [];
  expect(subtaskOfFrame(url)).toEqual({ vertex: 7, subtask: 2 });
  expect(subtaskOfFrame('millrace:chain/7')).toBeNull();
});
