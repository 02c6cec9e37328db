/**
 * The types of what each path takes and gives, reckoned from the table. Callers: the server's handlers, the client.
 * Runs on: no thread; types only.
 */
import type { Schema, ValueOf } from './json-schema.js';
import type { PATHS, PathName } from './paths.js';

type PathOf<N extends PathName> = (typeof PATHS)[N];

/** Parameters in the path itself. */
export type ParamsOf<N extends PathName> = {
  readonly [K in NamesIn<PathOf<N>['path']>]: string;
};
type NamesIn<P extends string> = P extends `${string}:${infer Name}/${infer Rest}`
  ? Name | NamesIn<`/${Rest}`>
  : P extends `${string}:${infer Name}`
    ? Name
    : never;

/** Parameters of the query. */
export type QueryOf<N extends PathName> =
  PathOf<N> extends { readonly query: infer Q }
    ? { readonly [K in keyof Q]?: ValueOf<Q[K]> | undefined }
    : Readonly<Record<never, never>>;

/** The body. */
export type BodyOf<N extends PathName> =
  PathOf<N> extends { readonly body: Schema<infer T> } ? T : undefined;

/** The reply. */
export type ReplyOf<N extends PathName> =
  PathOf<N> extends { readonly reply: Schema<infer T> } ? T : never;

/** Paths that are answered with text. */
export type TextPathName = {
  [N in PathName]: PathOf<N> extends { readonly reply: 'text' } ? N : never;
}[PathName];

/** Paths that are answered with one JSON value. */
export type JsonPathName = {
  [N in PathName]: PathOf<N> extends { readonly reply: string } ? never : N;
}[PathName];
