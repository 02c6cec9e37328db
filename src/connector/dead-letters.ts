/**
 * Where records that cannot be parsed go when they are neither fatal nor just counted: into a sink of their own, as
 * records that say where they came from, what was wrong, and their bytes. Callers: options of sources, the runtime.
 * Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import type { Schema } from '../record/schema.js';
import { checkArgument } from './check-arguments.js';
import type { BadRecord, SinkConnector } from './contract.js';

/** What a dead-letter sink is given. */
export interface DeadLetter {
  readonly file: string | null;
  readonly line: number | null;
  readonly byteOffset: number | null;
  readonly code: string;
  readonly message: string;
  /** The record's bytes as text, wrong bytes as U+FFFD. */
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** The policy that `deadLetter` makes, for the option `onError` of sources. */
export interface DeadLetterPolicy {
  readonly kind: 'deadLetter';
  readonly sink: SinkConnector;
}

const field = (name: string, kind: 'utf8' | 'number' | 'bytes', nullable: boolean) =>
  ({ name, type: { kind }, nullable, optional: false }) as const;

/** The schema of dead letters. */
export const DEAD_LETTER_SCHEMA: Schema = {
  shape: 'object',
  fields: [
    field('file', 'utf8', true),
    field('line', 'number', true),
    field('byteOffset', 'number', true),
    field('code', 'utf8', false),
    field('message', 'utf8', false),
    field('text', 'utf8', false),
    field('bytes', 'bytes', false),
  ],
};

/**
 * Sends records that cannot be parsed to a sink. The sink runs in the slots beside the source, so it is a file sink
 * or one made with `defineSink`, not one of the calling thread.
 *
 * @example
 * flow.from(csv('in/*.csv', { onError: deadLetter(ndjson('out/bad')) }))
 */
export function deadLetter(
  target: SinkConnector | { readonly kind: 'file'; sink(): SinkConnector },
): DeadLetterPolicy {
  const isRight = typeof target === 'object' && target !== null;
  checkArgument('deadLetter', 'the sink', target, isRight, "Write deadLetter(ndjson('out/bad')).");
  const sink = target.kind === 'file' ? target.sink() : target;
  if (sink.kind === 'sink' && !sink.host) return { kind: 'deadLetter', sink };
  throw new MillraceError(
    'OPTION_INVALID',
    'deadLetter(...) takes a sink that runs in the slots.',
    {
      advice: "Write deadLetter(ndjson('out/bad')), or make a sink with defineSink.",
    },
  );
}

/** A bad record as a dead letter. */
export function deadLetterOf(record: BadRecord): DeadLetter {
  const { file, line, byteOffset, bytes, error } = record;
  return {
    file,
    line,
    byteOffset,
    code: error.code ?? error.name,
    message: error.message,
    text: new TextDecoder().decode(bytes),
    bytes,
  };
}
