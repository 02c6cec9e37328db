/**
 * How long a keyed state lives without being used: what users say, checked, as the states need it. Callers: state
 * handles and the builder of joins. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { type Duration, formatDuration, parseDurationMs } from '../base/units.js';

/** What begins the life of a value anew. */
export type TtlUpdate = 'onCreateAndWrite' | 'onReadAndWrite';
/** Whether a value that is past its time may still be read. */
export type TtlVisibility = 'neverReturnExpired' | 'returnExpiredIfNotCleanedUp';
/** The clock that lives are measured by. */
export type TtlClock = 'processing' | 'event';

/**
 * A time to live, as Flink's `StateTtlConfig`. It counts for each value, element of a list and entry of a map by
 * itself.
 */
export interface StateTtl {
  /** How long; at least 1 ms. */
  readonly after: Duration;
  /** What begins it anew: creating and writing, which is the default, or reading too. */
  readonly update?: TtlUpdate;
  /**
   * Whether what is past its time may be read as long as it is not cleaned up, which happens a little with every batch.
   * Default `neverReturnExpired`.
   */
  readonly visibility?: TtlVisibility;
  /**
   * Which clock: that of the machine (`processing`, the default), or event time, which Flink does not have. By event
   * time a use counts at the time of its record or timer, and a value goes when the watermark is that much later.
   */
  readonly clock?: TtlClock;
}

/** A time to live with nothing left open. */
export interface TimeToLive {
  readonly afterMs: number;
  readonly refreshesOnRead: boolean;
  readonly showsExpired: boolean;
  readonly isEventTime: boolean;
}

const CHOICES: Readonly<Record<string, readonly unknown[]>> = {
  update: ['onCreateAndWrite', 'onReadAndWrite'],
  visibility: ['neverReturnExpired', 'returnExpiredIfNotCleanedUp'],
  clock: ['processing', 'event'],
};

/**
 * Reads a time to live; `what` names it in errors. Throws UNIT_INVALID for what is no duration, OPTION_UNKNOWN and
 * OPTION_INVALID for other mistakes.
 */
export function timeToLive(ttl: Duration | StateTtl, what: string): TimeToLive {
  if (typeof ttl !== 'object' || ttl === null) return timeToLive({ after: ttl }, what);
  const { after, ...choices } = ttl;
  for (const [name, value] of Object.entries(choices)) checkChoice(name, value, what);
  const afterMs = parseDurationMs(after, `${what}: "after"`);
  if (!(afterMs >= 1)) throw invalid(what, 'after', after, 'Give at least 1 ms.');
  return {
    afterMs,
    refreshesOnRead: ttl.update === 'onReadAndWrite',
    showsExpired: ttl.visibility === 'returnExpiredIfNotCleanedUp',
    isEventTime: ttl.clock === 'event',
  };
}

function checkChoice(name: string, value: unknown, what: string): void {
  const choices = CHOICES[name];
  if (choices === undefined) {
    throw new MillraceError('OPTION_UNKNOWN', `${what}: there is no "${name}".`, {
      advice: didYouMean(name, ['after', ...Object.keys(CHOICES)]),
    });
  }
  if (value === undefined || choices.includes(value)) return;
  throw invalid(what, name, value, `Give '${choices.join("' or '")}'.`);
}

function invalid(what: string, name: string, value: unknown, advice: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `${what}: "${name}" is ${String(value)}.`, { advice });
}

/** A time to live as plans show it, such as `1 h 0 m of event time since the last use`. */
export function ttlText({
  afterMs,
  isEventTime,
  refreshesOnRead,
  showsExpired,
}: TimeToLive): string {
  const clock = isEventTime ? ' of event time' : '';
  const since = refreshesOnRead ? ' since the last use' : '';
  const seen = showsExpired ? ', seen until cleaned up' : '';
  return `${formatDuration(afterMs)}${clock}${since}${seen}`;
}
