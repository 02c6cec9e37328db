/**
 * Reads server-sent events. Callers: `client.ts`. Runs on: the caller's thread.
 */

/**
 * An event of a server: `jobs`, `job`, `checkpoint`, `restored`, `restart` or `badRecord`, for those who watch it
 * `load` or `flow`, and what it holds.
 */
export interface RestEvent {
  readonly type: string;
  readonly data: unknown;
}

/** The events of a body, until it or the signal ends. */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<RestEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = eventIn(block);
        if (event !== null) yield event;
      }
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/** Null for a comment. */
function eventIn(block: string): RestEvent | null {
  const fieldOf = (name: string): string | null => {
    const line = block.split('\n').find((text) => text.startsWith(`${name}: `));
    return line === undefined ? null : line.slice(name.length + 2);
  };
  const data = fieldOf('data');
  return data === null ? null : { type: fieldOf('event') ?? 'message', data: JSON.parse(data) };
}
