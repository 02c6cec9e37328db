/**
 * Hands dead letters of a source subtask to their sink. Bad records appear in the middle of a poll, where nothing may
 * wait, so they queue here; the source is not polled again before the queue is empty, which bounds it by the bad
 * records of one poll. Callers: slot builder, source head. Runs on: the slot's thread.
 */
import { assert } from '../base/assert.js';
import type { BadRecord } from '../connector/contract.js';
import { DEAD_LETTER_SCHEMA, deadLetterOf } from '../connector/dead-letters.js';
import { compileRowWriter } from '../record/row-codec.js';
import type { SinkPort } from './sink-port.js';

/** The queue of one subtask. */
export class DeadLetterQueue {
  readonly #port: SinkPort;
  readonly #write = compileRowWriter(DEAD_LETTER_SCHEMA);
  #waiting: BadRecord[] = [];

  constructor(port: SinkPort) {
    this.#port = port;
    const isOpen = port.open(DEAD_LETTER_SCHEMA, { times: false, kinds: false });
    assert(isOpen, 'A port without rows can be opened.');
  }

  add(record: BadRecord): void {
    this.#waiting.push(record);
  }

  /** Moves queued letters to the sink; false while it has no room. */
  drain(): boolean {
    if (this.#waiting.length === 0) return true;
    let moved = 0;
    for (const record of this.#waiting) {
      const [builder] = this.#port.builders;
      if (builder.rows === builder.capacity && !this.#port.flush(0)) break;
      const misfit = this.#write(builder, deadLetterOf(record));
      assert(misfit === null, 'A dead letter fits its own schema.');
      moved++;
    }
    this.#waiting = this.#waiting.slice(moved);
    return this.#waiting.length === 0;
  }
}
