/**
 * The records that a tap sees as server-sent events: `records` with what was seen since the last, then `end`. Callers:
 * `service.ts`. Runs on: the server's thread. Invariant: a client that does not read holds no more than a bound; what
 * it misses is counted as passed.
 */
import { fromWire, MillraceError } from '../base/errors.js';
import type { ParamsOf, QueryOf } from '../rest/path-types.js';
import type { TapEvent } from '../rest/tap-event.js';
import type { TapOptions, TapRecord } from '../runtime/tap.js';
import { valueToJson } from '../savepoint/value-json.js';
import type { EventSink } from './event-source.js';
import { errorBody } from './http-errors.js';
import type { ServedJob } from './served-job.js';
import { vertexOf } from './vertex-views.js';

/** Bytes that wait for one client at most. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** So often a line is sent that says nothing, lest what is between takes the connection for dead. */
const BEAT_MS = 15_000;

/** What a request asks for. Throws REQUEST_INVALID, PATH_UNKNOWN, TAPS_DISABLED. */
export function tapOptionsOf(
  job: ServedJob,
  { vertexid }: ParamsOf<'tap'>,
  query: QueryOf<'tap'>,
  isAllowed: boolean,
): TapOptions {
  if (!isAllowed) throw refuseRecords();
  const { uid } = vertexOf(job, vertexid);
  const { operator = uid, to, side, filter, limit, sample } = query;
  return {
    operator,
    ...(to === undefined ? {} : { to }),
    ...(side === undefined ? {} : { side }),
    ...(filter === undefined ? {} : { filter }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(sample === undefined ? {} : { sample: Number(sample) }),
  };
}

/** TAPS_DISABLED */
export function refuseRecords(): MillraceError {
  return new MillraceError('TAPS_DISABLED', 'The server shows no records of its jobs.', {
    advice: 'It was started with --no-taps.',
  });
}

/** Follows a tap until it, or the client, ends; `begin` starts the reply. Rejects with why the tap was not opened. */
export function streamTap(
  job: ServedJob,
  options: TapOptions,
  begin: () => EventSink,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sink: EventSink | null = null;
    let close = (): void => {};
    let beat: NodeJS.Timeout | null = null;
    let missed = 0;
    const begun = (): EventSink => {
      const opened = begin();
      opened.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      beat = setInterval(() => opened.write(':\n\n'), BEAT_MS);
      opened.once('close', () => {
        if (beat !== null) clearInterval(beat);
        close();
      });
      resolve();
      return opened;
    };
    close = job.openTap(options, {
      // The first comes when the tap is open, and holds no records.
      chunk: ({ records, counts }) => {
        sink ??= begun();
        const isSlow = sink.writableLength > WAITING_BYTES_MAX;
        if (isSlow) missed += records.length;
        const shown = counts.shown - missed;
        const told: TapEvent = { ...counts, shown, records: isSlow ? [] : records.map(recordOf) };
        if (!isSlow || records.length === 0) write(sink, 'records', told);
      },
      end: (error) => {
        if (sink === null && error !== null) return reject(fromWire(error));
        sink ??= begun();
        write(sink, 'end', error === null ? null : errorBody(fromWire(error)));
        sink.end();
      },
    });
  });
}

function recordOf({ record, timeMs, kind, at, subtask }: TapRecord): TapEvent['records'][number] {
  return { record: valueToJson(record), timeMs, kind, at, subtask };
}

function write(sink: EventSink, type: string, data: unknown): void {
  sink.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}
