/**
 * JSON schemas that are also types: each is written once, and validation, the OpenAPI document and the types of client
 * and server come from it. Callers: the tables of this folder. Runs on: any thread; pure.
 */

/** A JSON schema of values of type `T`, which exists for the compiler only. */
export interface Schema<T = unknown> {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly [keyword: string]: unknown;
  readonly valueType?: T;
}

/** The type of the values that a schema accepts. */
export type ValueOf<S> = S extends Schema<infer T> ? T : never;

type Properties = Readonly<Record<string, Schema>>;
type Required<P extends Properties> = { readonly [K in keyof P]: ValueOf<P[K]> };
type Optional<P extends Properties> = { readonly [K in keyof P]?: ValueOf<P[K]> };

/** A text; `pattern` and bounds restrict it. */
export function text(keywords: Readonly<Record<string, unknown>> = {}): Schema<string> {
  return { type: 'string', ...keywords };
}

/** One of some texts. */
export function oneOf<const T extends readonly string[]>(...values: T): Schema<T[number]> {
  return { type: 'string', enum: values };
}

/** A whole number. */
export function integer(keywords: Readonly<Record<string, unknown>> = {}): Schema<number> {
  return { type: 'integer', ...keywords };
}

/** Any number. */
export const number: Schema<number> = { type: 'number' };
/** True or false. */
export const boolean: Schema<boolean> = { type: 'boolean' };

/** A value, or null. */
export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return { anyOf: [schema, { type: 'null' }] };
}

/** A list of values of one schema. */
export function list<T>(items: Schema<T>): Schema<readonly T[]> {
  return { type: 'array', items };
}

/** An object whose names are free and whose values are of one schema. */
export function map<T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return { type: 'object', additionalProperties: values };
}

/** Any JSON value; what it is like is said elsewhere. */
export function anything<T = unknown>(description: string): Schema<T> {
  return { description };
}

/** An object with just these members, of which the `optional` ones may be left out. */
export function object<P extends Properties, O extends Properties = Record<never, never>>(
  required: P,
  optional?: O,
): Schema<Required<P> & Optional<O>> {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}
