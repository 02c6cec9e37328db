/**
 * Two streams that meet in one operator, which tells them apart: what `connect` gives. Callers: job functions.
 * Runs on: any thread.
 */
import { MillraceError } from '../base/errors.js';
import type {
  ElementContext,
  ProcessContext,
  ProcessFunction,
} from '../operator/process-function.js';
import type { StreamFactory } from './stream-factory.js';
import { RETURNS, type ReturnsOptions } from './returns-option.js';
import type { Stream } from './stream.js';
import { requireFunction, type StreamCore } from './stream-core.js';

/** A stream as one side of an operator: its records, and the fields it is keyed by, if it is. */
export interface StreamSide {
  readonly core: StreamCore;
  readonly keys: readonly string[] | null;
}

/** A stream, keyed or not, of records of type `T`. */
export interface SideStream<T> {
  /** Only for the compiler; never set. */
  readonly recordType?: T;
}

const SIDES = new WeakMap<object, StreamSide>();

/** Says what a stream is as a side of an operator; called once by each stream that is made. */
export function rememberSide(stream: object, side: StreamSide): void {
  SIDES.set(stream, side);
}

/** What a stream is as a side of an operator. Throws OPTION_INVALID for what is no stream. */
export function sideOfStream(verb: string, stream: unknown): StreamSide {
  const side = typeof stream === 'object' && stream !== null ? SIDES.get(stream) : undefined;
  if (side !== undefined) return side;
  throw new MillraceError('OPTION_INVALID', `${verb}(...) takes a stream.`, {
    where: { operator: verb },
    advice: `Write orders.keyBy('id').${verb}(payments.keyBy('order')).`,
  });
}

/** The functions of an operator with two sides. */
export interface CoProcessFunction<T1, T2, K, Out> extends ProcessFunction<T1, K, Out, T2> {
  processElement2(record: T2, context: ElementContext<K, Out>): void;
}

/** Makes the functions of one subtask of an operator with two sides. */
export interface OpenCoProcess<T1, T2, K, Out> {
  (context: ProcessContext): CoProcessFunction<T1, T2, K, Out>;
  readonly length: number;
}

/** Two streams, of which the first may be keyed, and the second too or broadcast. */
export class ConnectedStreams<T1, T2, K> {
  readonly #core: StreamCore;
  readonly #keys: readonly (readonly string[] | null)[];
  readonly #isBroadcast: readonly boolean[];
  readonly #stream: StreamFactory;

  /** Made by `connect`. */
  constructor(first: StreamSide, second: StreamSide, stream: StreamFactory) {
    if (first.core.builder !== second.core.builder) {
      throw new MillraceError('GRAPH_INVALID', 'connect(...) was given a stream of another job.', {
        where: { operator: 'connect' },
        advice: 'Make all streams of a job from the flow its function is given.',
      });
    }
    if (first.keys === null && second.keys !== null) {
      throw new MillraceError(
        'GRAPH_INVALID',
        'connect(...) of a stream without key to a keyed one.',
        {
          where: { operator: 'connect' },
          advice: 'Key both sides, or call connect on the keyed stream.',
        },
      );
    }
    this.#core = first.core.besides(second.core);
    this.#keys = [first.keys, second.keys];
    this.#isBroadcast = [first.core.isBroadcast, second.core.isBroadcast];
    this.#stream = stream;
  }

  /**
   * Calls a process function with the records of both sides: `processElement` for the first, `processElement2` for
   * the second. On keyed sides both see the same state and timers of their common key.
   *
   * @example
   * orders.keyBy('id').connect(payments.keyBy('order')).process<Paid>((context) => {
   *   const open = context.state.value<Order>({ name: 'open' });
   *   return {
   *     processElement: (order) => open.update(order),
   *     processElement2(payment, out) {
   *       const order = open.value();
   *       if (order !== undefined) out.collect({ ...order, paid: payment.at });
   *     },
   *   };
   * })
   */
  process<Out, Key = K>(
    open: OpenCoProcess<T1, T2, Key, Out>,
    options: ReturnsOptions = {},
  ): Stream<Out> {
    requireFunction(
      'process',
      open,
      'process((context) => ({ processElement() {}, processElement2() {} }))',
    );
    const call = { verb: 'process', boundary: this.process, options, extra: RETURNS };
    const returns = options.returns ?? null;
    const [keys, isBroadcast] = [this.#keys, this.#isBroadcast];
    const body = { kind: 'process', keys, isBroadcast, open, returns } as const;
    return this.#stream(this.#core.operator(call, body));
  }
}
