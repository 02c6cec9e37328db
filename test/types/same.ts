/** Tools of the type tests. Types only. */

/** Compiles only when `A` and `B` are the same type, optionality and readonly marks included. */
export type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for true. */
export function assertType<_Condition extends true>(): void {}
