/**
 * What connectors are given, checked when the job is built, so that a parameter that was not passed is named there
 * and does not end in a TypeError somewhere else. Callers: the functions that make connectors. Runs on: any thread;
 * pure.
 */
import { MillraceError } from '../base/errors.js';
import { schemaFault } from '../record/schema-fault.js';

/** What else to do about an argument that is often a parameter. */
export const PARAMETER_ADVICE =
  'If it is a parameter of the job, pass that: --param NAME=value, or params of run().';

/** The directory that a sink writes. Throws `OPTION_INVALID`. */
export function sinkDirectory(type: string, directory: unknown): string {
  if (typeof directory === 'string' && directory !== '') return directory;
  const isList = Array.isArray(directory);
  const what = isList ? 'a sink writes one directory' : `the directory is ${given(directory)}`;
  throw new MillraceError('OPTION_INVALID', `${type}: ${what}.`, {
    advice: `Write .to(${type}('out/name')).${isList ? '' : ` ${PARAMETER_ADVICE}`}`,
  });
}

/** Refuses options that are no object. Throws `OPTION_INVALID`. */
export function checkOptionsObject(type: string, options: unknown): void {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  throw new MillraceError('OPTION_INVALID', `${type}: the options are ${given(options)}.`, {
    advice: 'Give an object, such as { name: value }.',
  });
}

/** Refuses an argument that is not as it must be. Throws `OPTION_INVALID`. */
export function checkArgument(
  type: string,
  name: string,
  value: unknown,
  isRight: boolean,
  advice: string,
): void {
  if (isRight) return;
  throw new MillraceError('OPTION_INVALID', `${type}: ${name} is ${given(value)}.`, { advice });
}

/** Refuses what is no schema, where one is given. Throws `OPTION_INVALID`. */
export function checkSchema(type: string, schema: unknown): void {
  const fault = schema === undefined ? null : schemaFault(schema);
  if (fault === null) return;
  throw new MillraceError('OPTION_INVALID', `${type}: the schema is wrong: ${fault}.`, {
    advice:
      "Write { shape: 'object', fields: [{ name: 'id', type: { kind: 'int64' }, nullable: false, " +
      'optional: false }] }.',
  });
}

/** What was given, for people. */
export function given(value: unknown): string {
  if (value === '') return 'empty';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
