/**
 * What every stream of the api is underneath: the job under construction and where the records come
 * from. Streams are values; a verb makes a new one and never changes the old. Callers: flow,
 * streams. Runs on: any thread.
 */
import { MillraceError } from '../base/errors.js';
import type { SinkConnector } from '../connector/contract.js';
import type { NodeInput } from '../graph/logical-graph.js';
import { KEY_FIELD } from '../operator/flow-row.js';
import type { Partitioner, UserFunction } from '../operator/operator-spec.js';
import type { Schema } from '../record/schema.js';
import { type Boundary, callSite } from './call-site.js';
import type { GraphBuilder, NodeRequest, OperatorBody } from './graph-builder.js';
import { checkOptions, type OperatorOptions, type OptionCheck } from './operator-options.js';

/** A verb that is being called: its name, its public function and the options the user gave. */
export interface VerbCall {
  readonly verb: string;
  /** The function the user called; the stack is cut off there. */
  readonly boundary: Boundary;
  readonly options: OperatorOptions;
  /** Checks of options that only this verb has. */
  readonly extra?: Readonly<Record<string, OptionCheck>>;
  /** Display name when the user gave none; the verb when absent. */
  readonly defaultName?: string;
  /** What a derived uid is made from when the user gave no name; the verb when absent. */
  readonly uidName?: string;
}

/** The untyped half of a stream. */
export class StreamCore {
  readonly builder: GraphBuilder;
  /** The union of these is the stream. */
  readonly inputs: readonly NodeInput[];
  /** Whether the stream ends. */
  readonly isBounded: boolean;

  constructor(builder: GraphBuilder, inputs: readonly NodeInput[], isBounded: boolean) {
    this.builder = builder;
    this.inputs = inputs;
    this.isBounded = isBounded;
  }

  /** Whether every subtask of the next operator sees all its records. */
  get isBroadcast(): boolean {
    return this.inputs.every(({ partitioner }) => partitioner?.kind === 'broadcast');
  }

  /** Adds an operator and gives its output. */
  operator(call: VerbCall, body: OperatorBody): StreamCore {
    const node = this.builder.operator(requestOf(call), this.inputs, body);
    const inputs = [{ node, partitioner: null }];
    return new StreamCore(this.builder, inputs, this.isBounded);
  }

  /** Adds a sink. */
  sink(call: VerbCall, connector: SinkConnector): void {
    this.builder.sink(requestOf(call), this.inputs, connector);
  }

  /** The records of some inputs of this stream. */
  over(inputs: readonly NodeInput[]): StreamCore {
    return new StreamCore(this.builder, inputs, this.isBounded);
  }

  /** The same records, dealt to the next operator in another way. */
  dealt(partitioner: Partitioner): StreamCore {
    return this.over(this.inputs.map(({ node }) => ({ node, partitioner })));
  }

  /** The records that the process function of this stream gave to a tag. */
  sideOutput(call: VerbCall, tag: unknown, returns: Schema | null): StreamCore {
    const id: unknown = typeof tag === 'object' && tag !== null ? Reflect.get(tag, 'id') : null;
    const [input, ...others] = this.inputs;
    if (typeof id !== 'string' || id === '') throw noTag(call.verb);
    const isOfFunction =
      input !== undefined && others.length === 0 && this.builder.givesToTag(input.node, id);
    if (!isOfFunction || input.partitioner !== null) throw noSideOutput(call.verb, id);
    const inputs = [{ node: input.node, partitioner: { kind: 'forward' } as const }];
    return this.over(inputs).operator(call, { kind: 'sideOutput', tag: id, returns });
  }

  /** This stream as the first side of an operator, and another one as the second. */
  besides(second: StreamCore): StreamCore {
    const inputs = [
      ...this.inputs,
      ...second.inputs.map((input) => ({ ...input, side: 1 as const })),
    ];
    return new StreamCore(this.builder, inputs, this.isBounded && second.isBounded);
  }

  /** The records of this stream and of others. */
  merged(others: readonly StreamCore[]): StreamCore {
    if (others.some((other) => other.builder !== this.builder)) {
      throw new MillraceError('GRAPH_INVALID', 'union(...) was given a stream of another job.', {
        where: { operator: 'union' },
        advice: 'Make all streams of a job from the flow its function is given.',
      });
    }
    const all = [this, ...others];
    const inputs = all.flatMap((stream) => stream.inputs);
    const isBounded = all.every((stream) => stream.isBounded);
    return new StreamCore(this.builder, inputs, isBounded);
  }
}

function noTag(verb: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `${verb}(...) takes a tag.`, {
    where: { operator: verb },
    advice: "Write const late = outputTag('late') once, and sideOutput(late).",
  });
}

function noSideOutput(verb: string, tag: string): MillraceError {
  return new MillraceError(
    'GRAPH_INVALID',
    `${verb}("${tag}") is called on a stream whose operator gives nothing to that tag.`,
    {
      where: { operator: verb },
      advice: 'Call it on the very stream that process(...) or a window gave, before other verbs.',
    },
  );
}

/** The name under which results hold a key. */
export function keyName(key: string): string {
  return key === KEY_FIELD ? 'key' : key;
}

/** Checks the options of a call and finds the user's line. */
export function requestOf(call: VerbCall): NodeRequest {
  const createdAt = callSite(call.boundary);
  checkOptions(call.verb, call.options, createdAt, call.extra);
  const { verb, options, defaultName = verb, uidName = verb } = call;
  return { kind: verb, defaultName, uidName, options, createdAt };
}

/** Throws `OPTION_INVALID` unless `fn` is a function. */
export function requireFunction(
  verb: string,
  fn: unknown,
  example: string,
): asserts fn is UserFunction {
  if (typeof fn === 'function') return;
  throw new MillraceError('OPTION_INVALID', `${verb}(...) takes a function.`, {
    where: { operator: verb },
    advice: `Write ${example}.`,
  });
}

/**
 * Throws `OPTION_INVALID` unless there is at least one name and each is a text that is not empty.
 */
export function requireNames(verb: string, names: readonly unknown[]): void {
  const valid = names.every((name) => typeof name === 'string' && name !== '');
  if (names.length > 0 && valid && new Set(names).size === names.length) return;
  throw new MillraceError('OPTION_INVALID', `${verb}(...) takes names of fields, each once.`, {
    where: { operator: verb },
    advice: `Write ${verb}('origin') or ${verb}('origin', 'date').`,
  });
}
