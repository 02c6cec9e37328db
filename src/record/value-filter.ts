/**
 * What is known of the rows that anybody wants by one of their columns. Planning finds it in the filters behind a
 * source, and readers that can tell early leave other rows out; the filters stay, so that a reader may give any row.
 * Callers: graph, sources. Runs on: any thread; plain data.
 */

/** Rows are wanted only if the column has one of the values; null is none of them. */
export interface ValueFilter {
  readonly column: string;
  readonly values: readonly (string | number | boolean)[];
}
