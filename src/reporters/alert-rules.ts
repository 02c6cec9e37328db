/**
 * Rules of alerts, as `lastCheckpointAge > 10min for 1min`, and what becomes of them as metrics change. Callers:
 * `webhook-reporter.ts`. Runs on: the host's thread; pure. Invariant: of everything that a rule is about, it is told
 * once when it fires and once when it is over.
 */
import { MillraceError } from '../base/errors.js';
import { parseBytes, parseDurationMs } from '../base/units.js';
import { logicalName, type MetricPoint, numbersOf } from '../metrics/metric-point.js';

/** A rule. */
export interface AlertRule {
  /** As it was written. */
  readonly text: string;
  /** The end of the logical name of a metric, as `busyTimeMsPerSecond` or `task.numRecordsIn`. */
  readonly metric: string;
  readonly comparison: Comparison;
  readonly threshold: number;
  /** How long it has to be so before it fires. */
  readonly forMs: number;
}

/** Something that a rule is about, as it is told. */
export interface Alert {
  readonly status: 'firing' | 'resolved';
  readonly rule: string;
  readonly metric: string;
  /** The number as it was last; null when the metric is gone, as when its job has ended. */
  readonly value: number | null;
  readonly threshold: number;
  /** Since when it has been so, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** What the metric belongs to, as `job_name`, `task_name` and `subtask_index`. */
  readonly variables: Readonly<Record<string, string>>;
}

const COMPARISONS = {
  '>': (value: number, threshold: number) => value > threshold,
  '>=': (value: number, threshold: number) => value >= threshold,
  '<': (value: number, threshold: number) => value < threshold,
  '<=': (value: number, threshold: number) => value <= threshold,
} as const;
type Comparison = keyof typeof COMPARISONS;

const RULE = /^([\w.]+)\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*(%|[a-z]+)?(?:\s+for\s+(\S+))?$/i;
const SIZES = /^([kmg]?b)$/i;

/** Rules, separated by `;`. Throws OPTION_INVALID. */
export function alertRules(text: string): readonly AlertRule[] {
  const rules = text.split(';').flatMap((one) => (one.trim() === '' ? [] : [ruleOf(one.trim())]));
  if (rules.length > 0) return rules;
  throw invalid('There are no rules of alerts.');
}

function ruleOf(text: string): AlertRule {
  const [, metric = '', comparison, number = '', unit, wait = '0ms'] = RULE.exec(text) ?? [];
  if (comparison === undefined) throw invalid(`"${text}" is no rule of an alert.`);
  try {
    return {
      text,
      metric,
      comparison: comparison as Comparison,
      threshold: thresholdOf(number, unit),
      forMs: parseDurationMs(wait),
    };
  } catch (cause) {
    throw invalid(`"${text}" is no rule of an alert.`, cause);
  }
}

/** In milliseconds or bytes, where there is a unit; a percent sign says what numbers of per cent are. */
function thresholdOf(number: string, unit: string | undefined): number {
  if (unit === undefined || unit === '%') return Number(number);
  return SIZES.test(unit) ? parseBytes(`${number}${unit}`) : parseDurationMs(`${number}${unit}`);
}

function invalid(message: string, cause?: unknown): MillraceError {
  return new MillraceError('OPTION_INVALID', message, {
    ...(cause === undefined ? {} : { cause }),
    advice: 'Write <metric> > <number> for <duration>, as lastCheckpointAge > 10min for 1min.',
  });
}

interface Watched {
  readonly rule: AlertRule;
  readonly variables: Readonly<Record<string, string>>;
  readonly sinceMs: number;
  value: number;
  isFiring: boolean;
}

/** The rules as they stand. */
export class AlertStates {
  readonly #rules: readonly AlertRule[];
  /** What rules are true of, by rule and variables. */
  #watched = new Map<string, Watched>();

  constructor(rules: readonly AlertRule[]) {
    this.#rules = rules;
  }

  /** What has begun to fire, and what is over. */
  judge(points: readonly MetricPoint[], atMs: number): readonly Alert[] {
    const next = new Map<string, Watched>();
    const values = new Map<string, number>();
    for (const point of points) {
      for (const rule of this.#rules) this.#judgeOne(rule, point, atMs, next, values);
    }
    const told: Alert[] = [];
    for (const watched of next.values()) {
      if (watched.isFiring || atMs - watched.sinceMs < watched.rule.forMs) continue;
      watched.isFiring = true;
      told.push(alertOf('firing', watched, watched.value));
    }
    for (const [key, watched] of this.#watched) {
      if (!watched.isFiring || next.has(key)) continue;
      told.push(alertOf('resolved', watched, values.get(key) ?? null));
    }
    this.#watched = next;
    return told;
  }

  #judgeOne(
    rule: AlertRule,
    point: MetricPoint,
    atMs: number,
    next: Map<string, Watched>,
    values: Map<string, number>,
  ): void {
    const name = logicalName(point).join('.');
    for (const [ending, value] of numbersOf(point.value)) {
      if (!isNamed(ending === '' ? name : `${name}.${ending}`, rule.metric)) continue;
      const key = JSON.stringify([this.#rules.indexOf(rule), point.variables]);
      values.set(key, value);
      if (!COMPARISONS[rule.comparison](value, rule.threshold)) continue;
      const { variables } = point;
      const known = this.#watched.get(key) ?? { rule, variables, sinceMs: atMs, isFiring: false };
      next.set(key, { ...known, value });
    }
  }
}

function isNamed(name: string, metric: string): boolean {
  return name === metric || name.endsWith(`.${metric}`);
}

function alertOf(
  status: Alert['status'],
  { rule, variables, sinceMs }: Watched,
  value: number | null,
): Alert {
  const { text, metric, threshold } = rule;
  return { status, rule: text, metric, value, threshold, sinceMs: Math.round(sinceMs), variables };
}
