/** `docs/error-codes.md`: every stable error code, from the table that errors are made from. */
import { code, GENERATED, page, table } from '../lib/markdown.mjs';

export function errorCodesPage({ ERROR_CODES, ERROR_MEANINGS }) {
  const rows = Object.entries(ERROR_CODES).map(([name, { retryable }]) => [
    code(name),
    ERROR_MEANINGS[name],
    retryable ? 'yes' : 'no',
  ]);
  return page(
    '# Error codes',
    GENERATED,
    'Every error of the engine is a `MillraceError` with a `code` from this table. A code never changes its meaning. The ' +
      'message says what happened; `where` names the place (job, operator, uid, subtask, file, line, as far as they are known); ' +
      '`advice` says what to do; `cause` is the error behind it, with its stack, also when it was thrown in another thread. ' +
      '`describeError(error)` gives all of that as text.',
    '*Retryable* means that the same attempt may succeed later without a change of program or configuration.',
    table(['Code', 'Meaning', 'Retryable'], rows),
  );
}
