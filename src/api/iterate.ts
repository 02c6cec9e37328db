/**
 * Loops: what `iterate` adds to the graph around a body. Callers: `stream.ts`. Runs on: any thread.
 */
import { MillraceError } from '../base/errors.js';
import type { Boundary } from './call-site.js';
import { sideOfStream } from './connected-streams.js';
import type { OperatorOptions, OptionCheck } from './operator-options.js';
import type { Stream } from './stream.js';
import { requireFunction, type StreamCore } from './stream-core.js';
import type { StreamFactory } from './stream-factory.js';

/** Options of a loop. */
export interface IterateOptions extends OperatorOptions {
  /** After so many rounds the loop ends, and what is fed back then is dropped; without it when nothing is fed back. */
  readonly maxIterations?: number;
}

/** What the body of a loop makes of its stream. */
export interface IterationBody<T, Out> {
  /** Goes round once more. */
  readonly feedback: Stream<T>;
  /** Leaves the loop, as it comes. */
  readonly output: Stream<Out>;
}

const CHECKS: Readonly<Record<string, OptionCheck>> = {
  maxIterations: (value) =>
    Number.isSafeInteger(value) && (value as number) > 0 ? null : 'a whole number above 0',
};

/** Puts a loop around a body and gives its output. */
export function iterated<T, Out>(
  core: StreamCore,
  body: (loop: Stream<T>) => IterationBody<T, Out>,
  { boundary, options }: { readonly boundary: Boundary; readonly options: IterateOptions },
  stream: StreamFactory,
): Stream<Out> {
  requireFunction('iterate', body, 'iterate((loop) => ({ feedback, output }))');
  if (!core.isBounded) throw endless();
  const { maxIterations = null, uid: _uid, name: _name, ...placed } = options;
  const call = { verb: 'iterate', boundary, options, extra: CHECKS };
  const head = core.operator(call, { kind: 'loop', maxIterations });
  const made: unknown = body(stream<T>(head));
  const { feedback, output } = bodyOf<T, Out>(made);
  const back = sideOfStream('iterate', feedback);
  if (back.core.builder !== core.builder) throw ofAnotherJob();
  const [{ node }] = head.inputs;
  const tail = { verb: 'feedback', boundary, options: { ...placed, chain: 'always' } } as const;
  back.core.operator(tail, { kind: 'feedback', loop: core.builder.uidOf(node) });
  return output;
}

function bodyOf<T, Out>(made: unknown): IterationBody<T, Out> {
  const isBody =
    typeof made === 'object' && made !== null && 'feedback' in made && 'output' in made;
  if (isBody) return made as IterationBody<T, Out>;
  throw new MillraceError('OPTION_INVALID', 'The body of iterate(...) gave no two streams.', {
    where: { operator: 'iterate' },
    advice: 'Return { feedback, output }: what goes round once more, and what leaves the loop.',
  });
}

function endless(): MillraceError {
  return new MillraceError(
    'FEATURE_UNSUPPORTED',
    'iterate(...) needs input that ends: without an end no round would be over.',
    {
      where: { operator: 'iterate' },
      advice: 'Iterate over bounded sources; over endless ones keep state in process(...).',
    },
  );
}

function ofAnotherJob(): MillraceError {
  return new MillraceError('GRAPH_INVALID', 'iterate(...) is fed back a stream of another job.', {
    where: { operator: 'iterate' },
    advice: 'Feed back what the body makes of the stream that it is given.',
  });
}
