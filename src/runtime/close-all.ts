/**
 * Closing of several things, some of which run code of the user. Callers: subtask, slot builder, slot run. Runs on:
 * the slot's thread. Invariant: everything is closed, whatever closing the others throws.
 */

/** What can be closed. */
export interface Closeable {
  close(): void;
}

/** Closes all; throws the first error afterwards. */
export function closeAll(closeables: Iterable<Closeable>): void {
  const [first] = errorsOfClosing(closeables);
  if (first !== undefined) throw first.error;
}

/** Closes all after a failure: that one is reported, and what closing throws after it is its consequence. */
export function closeAfterFailure(closeables: Iterable<Closeable>): void {
  errorsOfClosing(closeables);
}

function errorsOfClosing(closeables: Iterable<Closeable>): readonly { readonly error: unknown }[] {
  const errors: { error: unknown }[] = [];
  for (const closeable of closeables) {
    try {
      closeable.close();
    } catch (error) {
      errors.push({ error });
    }
  }
  return errors;
}
