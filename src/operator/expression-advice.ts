/**
 * The sentences of type errors: what an argument is, and what to do when types do not fit. Callers: expression
 * typing. Runs on: any thread; pure.
 */
import { didYouMean, nearestName } from '../base/nearest-name.js';
import type { DataType } from '../record/schema.js';
import { typeName } from '../record/schema.js';
import { isNumberKind } from './expression-coerce.js';
import type { ArgumentKind, Signature } from './expression-signature.js';
import { expressionText } from './expression-text.js';
import { isNullLiteral, type TypedExpression } from './expression-typed.js';

/** An argument with its type: `price (decimal(10,2))`. */
export function described(arg: TypedExpression): string {
  if (isNullLiteral(arg)) return 'null';
  return `${expressionText(arg.source)} (${typeName(arg.slot.type)})`;
}

/** What to do about a field that is not there. */
export function fieldAdvice(name: string, names: readonly string[]): string {
  if (nearestName(name, names) === null) return didYouMean(name, names);
  return `${didYouMean(name, names)} The fields are: ${names.slice(0, 20).join(', ')}${
    names.length > 20 ? ', …' : ''
  }.`;
}

/** Advice where exact and inexact numbers meet, null when that is not the trouble. */
function numberAdvice(types: readonly DataType[]): string | null {
  const isExact = types.some((type) => type.kind === 'int64' || type.kind === 'decimal');
  if (!isExact || !types.some(isNumberKind)) return null;
  return (
    `Exact and floating-point numbers do not mix by themselves. Cast one side: .cast('number') ` +
    `rounds beyond 2^53, .cast('int64') and .cast('decimal(p,s)') drop digits after the point.`
  );
}

function dateAdvice(types: readonly DataType[]): string | null {
  if (!types.some((type) => type.kind === 'date' || type.kind === 'timestamp')) return null;
  return (
    'Calculate with addDuration or addMonths, or with milliseconds by epochMs(); compare with a ' +
    'Date or an ISO text such as "2024-01-31".'
  );
}

function anyAdvice(types: readonly DataType[]): string | null {
  if (!types.some((type) => type.kind === 'any')) return null;
  return `Values of any type must be cast first, for example .cast('number') or .tryCast('utf8').`;
}

/** What to do where types do not fit, as far as the types tell. */
export function typesAdvice(types: readonly DataType[]): string | null {
  return anyAdvice(types) ?? numberAdvice(types) ?? dateAdvice(types);
}

/** What a function takes: `(number, number) or (int64, int64)`. */
export function signatureList(signatures: readonly Signature[]): string {
  return signatures.map((signature) => `(${argumentList(signature)})`).join(' or ');
}

function argumentList(signature: Signature): string {
  const names: string[] = signature.args.map((arg) =>
    typeof arg === 'string' ? kindName(arg) : arg.meaning,
  );
  if (signature.rest !== undefined) names.push(`${kindName(signature.rest)} …`);
  return names.join(', ');
}

function kindName(kind: ArgumentKind): string {
  return kind === 'value' ? 'any value' : kind;
}
