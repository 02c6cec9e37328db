/**
 * What the paths of flame graphs, thread dumps and profiles give; the first two as Flink has them. Callers: `paths.ts`,
 * the server's views, the client. Runs on: any thread; pure data.
 */
import { anything, integer, list, object, text, type ValueOf } from './json-schema.js';

/** A function, with those that it called. */
export interface FlameGraphNode {
  readonly name: string;
  readonly value: number;
  readonly children: readonly FlameGraphNode[];
}

export const flameGraph = object(
  {
    endTimestamp: integer({
      description: 'When it was seen; -1: the job has ended, -3: it does not run yet.',
    }),
  },
  {
    data: object({
      name: text(),
      value: integer({ description: 'Samples, one in a millisecond of each thread.' }),
      children: list(anything<FlameGraphNode>('The same again.')),
    }),
  },
);

export const threadDump = object({
  threadInfos: list(object({ threadName: text(), stringifiedThreadInfo: text() })),
});

export const profile = object({
  'start-time': integer(),
  'end-time': integer(),
  vertices: list(
    object({
      id: text(),
      name: text(),
      number: integer({ description: 'In the frames millrace:subtask/<number>/<subtask>.' }),
    }),
  ),
  threads: list(
    object({
      slot: integer({ description: '-1 for the thread of the host.' }),
      profile: anything<object>('The samples of a thread, as a .cpuprofile file has them.'),
    }),
  ),
});

export type FlameGraph = ValueOf<typeof flameGraph>;
export type ThreadDump = ValueOf<typeof threadDump>;
export type Profile = ValueOf<typeof profile>;
