/**
 * Checks values against the schemas of this folder, and says what is wrong in words: the member, what it must be, the
 * name that was meant. Own code, because a validator that compiles takes longer to load than a server to start.
 * Callers: the server, for every request. Runs on: any thread; pure. Invariant: it knows every keyword that the tables
 * use.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { Schema } from './json-schema.js';

type Members = Readonly<Record<string, unknown>>;

/** Throws REQUEST_INVALID; `what` is the value as a whole, such as `body`. */
export function checkValue(schema: Schema, value: unknown, what: string): void {
  const options = schema['anyOf'];
  if (Array.isArray(options)) return checkOptions(options, value, what);
  const { type } = schema;
  if (typeof type === 'string' && !isOf(type, value)) throw wrong(what, nameOf(type));
  if (typeof value === 'string') checkText(schema, value, what);
  else if (typeof value === 'number') checkNumber(schema, value, what);
  else if (Array.isArray(value)) checkList(schema, value, what);
  else if (typeof value === 'object' && value !== null)
    checkMembers(schema, value as Members, what);
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isSafeInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}

function nameOf(type: string): string {
  if (type === 'null') return 'null';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** The first that fits; else what is wrong with the first. */
function checkOptions(options: readonly Schema[], value: unknown, what: string): void {
  const failures: unknown[] = [];
  for (const option of options) {
    try {
      return checkValue(option, value, what);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

function checkText(schema: Schema, value: string, what: string): void {
  const { enum: choices, pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  if (Array.isArray(choices) && !choices.includes(value)) {
    throw wrong(what, `one of ${choices.join(', ')}`, didYouMean(value, choices));
  }
  if (typeof pattern === 'string' && !new RegExp(pattern).test(value)) {
    throw wrong(what, `a text that matches ${pattern}`);
  }
  const [least, most] = [Number(minLength), Number(maxLength)];
  if (value.length < least) throw wrong(what, `at least ${least} characters long`);
  if (value.length > most) throw wrong(what, `at most ${most} characters long`);
}

function checkNumber(schema: Schema, value: number, what: string): void {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
  const [least, most] = [Number(minimum), Number(maximum)];
  if (value < least || value > most) throw wrong(what, `from ${least} to ${most}`);
}

function checkList(schema: Schema, value: readonly unknown[], what: string): void {
  const { items } = schema;
  if (items === undefined) return;
  for (const [index, item] of value.entries())
    checkValue(items, item, `item ${index} of the ${what}`);
}

function checkMembers(schema: Schema, value: Members, what: string): void {
  const { properties = {}, required = [], additionalProperties } = schema;
  for (const name of required) {
    if (!Object.hasOwn(value, name)) {
      throw new MillraceError('REQUEST_INVALID', `The ${what} has no ${JSON.stringify(name)}.`);
    }
  }
  for (const [name, member] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (own === undefined && additionalProperties === false) throw unknown(name, what, properties);
    const others = typeof additionalProperties === 'object' ? additionalProperties : {};
    checkValue(own ?? others, member, `${name} of the ${what}`);
  }
}

function unknown(name: string, what: string, known: Members): MillraceError {
  const message = `There is no member ${JSON.stringify(name)} in the ${what}.`;
  return new MillraceError('REQUEST_INVALID', message, {
    advice: didYouMean(name, Object.keys(known)),
  });
}

function wrong(what: string, expected: string, advice?: string): MillraceError {
  return new MillraceError('REQUEST_INVALID', `The ${what} must be ${expected}.`, {
    ...(advice === undefined ? {} : { advice }),
  });
}
