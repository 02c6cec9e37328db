/**
 * What the clocks of a place show: its time zone as arithmetic, so that windows may begin at midnight there although
 * some days have 23 or 25 hours. Time by such a clock is a number too: milliseconds since 1970-01-01T00:00 as the clock
 * shows it. Callers: windows with a time zone. Runs on: any thread; pure, but for what the platform knows of zones.
 * Invariant: `local` never goes back. Where clocks are set back, the last millisecond before stands still until the
 * hour that is shown twice is over, so that no time is in two windows.
 */
import { EVENT_TIME_MAX, EVENT_TIME_MIN } from './watermark.js';

const STEP_MS = 12 * 3_600_000;
/** How many steps are looked ahead for the clock to be set: about a month. */
const STEPS_MAX = 60;
/** Spans that are remembered: some decades of them. */
const SPANS_MAX = 1000;
/** Windows whose bounds are remembered. */
const INSTANTS_MAX = 4096;
/** No clock is further from UTC. */
const OFFSET_MS_MAX = 26 * 3_600_000;
const OFFSET = /^(?:GMT|UTC)(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

/** A time for which a clock is not set. */
interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly offsetMs: number;
  /** What the clock showed last before it. */
  readonly floorMs: number;
}

/** The clocks of a time zone. */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  /** Those that were needed so far. */
  readonly #spans: Span[] = [];
  #span: Span = { fromMs: 0, untilMs: 0, offsetMs: 0, floorMs: 0 };
  /** What `instant` gave: many results are of few windows. */
  readonly #instants = new Map<number, number>();

  /** Throws RangeError when the platform knows no such zone. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  }

  /** What the clock shows at an instant. */
  local(timeMs: number): number {
    let span = this.#span;
    if (!(timeMs >= span.fromMs && timeMs < span.untilMs)) {
      span = this.#spanOf(timeMs);
      this.#span = span;
    }
    return Math.max(timeMs + span.offsetMs, span.floorMs);
  }

  /** The first instant at which the clock shows a time, or a later one where it never shows that one. */
  instant(localMs: number): number {
    const known = this.#instants.get(localMs);
    if (known !== undefined) return known;
    let span = this.#spanOf(localMs - OFFSET_MS_MAX);
    while (lastOf(span) < localMs) span = this.#spanOf(span.untilMs);
    if (this.#instants.size === INSTANTS_MAX) this.#instants.clear();
    const found = Math.max(localMs - span.offsetMs, span.fromMs);
    this.#instants.set(localMs, found);
    return found;
  }

  #spanOf(timeMs: number): Span {
    const known = this.#spans.findLast((one) => timeMs >= one.fromMs && timeMs < one.untilMs);
    if (known !== undefined) return known;
    if (this.#spans.length === SPANS_MAX) this.#spans.length = 0;
    const span = this.#find(timeMs);
    this.#spans.push(span);
    return span;
  }

  #find(timeMs: number): Span {
    const offsetMs = this.#offsetMs(timeMs);
    const untilMs = this.#change(timeMs, offsetMs, 1);
    const lastBeforeMs = this.#change(timeMs, offsetMs, -1);
    const floorMs = lastBeforeMs + this.#offsetMs(lastBeforeMs);
    return { fromMs: lastBeforeMs + 1, untilMs, offsetMs, floorMs };
  }

  /** The nearest instant on one side at which the offset is another one, or one as far away as is looked. */
  #change(timeMs: number, offsetMs: number, direction: 1 | -1): number {
    let same = timeMs;
    for (let step = 1; step <= STEPS_MAX; step++) {
      const other = timeMs + step * STEP_MS * direction;
      if (this.#offsetMs(other) !== offsetMs) return this.#bisect(same, other, offsetMs);
      same = other;
    }
    return same;
  }

  /** Of two instants around it, the one from which the offset is no longer `offsetMs`. */
  #bisect(same: number, other: number, offsetMs: number): number {
    let [near, far] = [same, other];
    while (Math.abs(far - near) > 1) {
      const middle = Math.floor((near + far) / 2);
      if (this.#offsetMs(middle) === offsetMs) near = middle;
      else far = middle;
    }
    return far;
  }

  #offsetMs(timeMs: number): number {
    const known = Math.min(EVENT_TIME_MAX, Math.max(EVENT_TIME_MIN, timeMs));
    const text = this.#format.formatToParts(known).find(({ type }) => type === 'timeZoneName');
    const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] =
      OFFSET.exec(text?.value ?? '') ?? [];
    const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
    return (sign === '-' ? -total : total) * 1000 + 0;
  }
}

/** What the clock shows last. */
function lastOf({ untilMs, offsetMs, floorMs }: Span): number {
  return Math.max(untilMs - 1 + offsetMs, floorMs);
}
