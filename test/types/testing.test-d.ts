import { type OutputTag, type Stream, job } from '../../src/index.js';
import {
  type OneInputTestHarness,
  type OutputEntry,
  runOnArrays,
  type TestOutput,
  testHarness,
  twoInputTestHarness,
} from '../../src/testing.js';
import { assertType, type Same } from './same.js';

interface Visit {
  readonly user: string;
}
declare const late: OutputTag<Visit>;

// The types of inputs and outputs are those of the streams.
const harness = await testHarness((visits: Stream<Visit>) => visits.map((visit) => visit.user));
assertType<Same<typeof harness, OneInputTestHarness<Visit, string>>>();
assertType<Same<typeof harness.output.entries, readonly OutputEntry<string>[]>>();
const side = harness.sideOutput(late);
assertType<Same<typeof side, TestOutput<Visit>>>();
await harness.input.push({ user: 'ann' }, { timestamp: 1, kind: 'delete' });
// error: Property 'user' is missing
await harness.input.push({});
// error: not assignable to type
await harness.input.push({ user: 'ann' }, { kind: 'removed' });
// error: 'restoreEachSteps' does not exist in type 'HarnessOptions'
await testHarness((visits: Stream<Visit>) => visits, { restoreEachSteps: true });
// error: not assignable to type 'Stream<unknown>'
await testHarness((visits: Stream<Visit>) => visits.keyBy('user'));
assertType<Same<ReturnType<typeof harness.state<number>>, number | undefined>>();

const two = await twoInputTestHarness((left: Stream<number>, right: Stream<string>) =>
  left.map(String).union(right),
);
await two.first.push(1);
// error: Argument of type 'number' is not assignable to parameter of type 'string'
await two.second.push(1);

// Parameters are those of the job.
const jobWithLeast = job('least', (_flow, { least = 1 }: { least?: number }) => void least);
const run = await runOnArrays(jobWithLeast, { params: { least: 2 }, seed: 1 });
assertType<Same<ReturnType<typeof run.records<Visit>>, readonly Visit[]>>();
// error: Type 'string' is not assignable to type 'number'
await runOnArrays(jobWithLeast, { params: { least: 'two' } });
