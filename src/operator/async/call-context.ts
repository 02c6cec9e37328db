/**
 * What one call of an asynchronous function is given beside the record. Callers: `async-run.ts` makes and aborts it,
 * user functions use it. Runs on: the slot's thread. Invariant: a call that asks for its signal late finds it
 * aborted when it has been given up; one that does not ask costs no signal.
 */
import type { MillraceError } from '../../base/errors.js';
import type { AsyncCall } from './async-function.js';

/** The context of one call. */
export class CallContext implements AsyncCall<unknown> {
  readonly client: unknown;
  readonly attempt: number;
  readonly timestamp: number | null;
  #controller: AbortController | null = null;
  #reason: MillraceError | null = null;

  constructor(client: unknown, attempt: number, timestamp: number | null) {
    this.client = client;
    this.attempt = attempt;
    this.timestamp = timestamp;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Nobody waits for the call any more. */
  static abort(context: CallContext, reason: MillraceError): void {
    context.#reason = reason;
    context.#controller?.abort(reason);
  }
}
