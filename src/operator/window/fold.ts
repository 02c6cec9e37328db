/**
 * Folding the records of a window into one value as they come. Callers: the window operator, the api. Runs on: the
 * slot's thread; pure. Invariant: what is folded is plain data, so that it is part of snapshots, and a result does not
 * depend on how sessions were merged.
 */

/** Folds records `T` into one value `A`, which may be changed in place. */
export interface Fold<T, A> {
  create(record: T): A;
  add(value: A, record: T): A;
  merge(left: A, right: A): A;
}

/** Folds by a function of two records. */
export function reduceFold<T>(fn: (left: T, right: T) => T): Fold<T, T> {
  return { create: (record) => record, add: fn, merge: fn };
}
