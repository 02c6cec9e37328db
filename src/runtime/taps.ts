/**
 * The open taps of a run: checks what is asked for, asks the slots, and puts together what they tell. A tap stays open
 * over restarts. Callers: `execution.ts`, which loads it when somebody first looks. Runs on: the caller's thread.
 */
import { MillraceError } from '../base/errors.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { Expression } from '../operator/expression.js';
import { parseExpression } from '../operator/expression-parser.js';
import { typeOfExpression } from '../operator/expression-type.js';
import { SchemaRegistry } from '../record/schema-registry.js';
import { type Deployment, StreamIds } from './deployment.js';
import type { TapCounts, TapObserver, TapOptions } from './tap.js';
import { type NamedPlace, tapPlaces } from './tap-places.js';
import type { TapPlace, TapReport, TapRequest } from './tap-protocol.js';

/** Taps of one job that are open at once. */
const TAPS_MAX = 16;
const SAMPLE_DEFAULT = 10;
const SAMPLE_MAX = 1000;

/** The run that is looked into. */
export interface TappedRun {
  /** The attempt that runs: another one after a restart. */
  now(): { readonly plan: PhysicalPlan; readonly deployment: Deployment };
  /** Asks every slot. */
  ask(request: TapRequest): void;
}

interface OpenedTap {
  readonly options: TapOptions;
  readonly filter: Expression | null;
  readonly sample: number;
  readonly limit: number;
  readonly observer: TapObserver;
  places: readonly NamedPlace[];
  counts: TapCounts;
}

/** The taps. */
export class Taps {
  readonly #run: TappedRun;
  readonly #open = new Map<number, OpenedTap>();
  #last = 0;

  constructor(run: TappedRun) {
    this.#run = run;
  }

  /**
   * Opens a tap; gives what closes it. Throws OPERATOR_UNKNOWN, TAP_UNAVAILABLE, OPTION_INVALID, EXPRESSION_INVALID,
   * FUNCTION_UNKNOWN, FIELD_UNKNOWN, TYPE_MISMATCH.
   */
  open(options: TapOptions, observer: TapObserver): () => void {
    checkTap(options);
    const { plan } = this.#run.now();
    if (this.#open.size >= TAPS_MAX) {
      throw new MillraceError('TAP_UNAVAILABLE', `The job has ${TAPS_MAX} taps open already.`, {
        where: { job: plan.jobName },
        advice: 'Close one first.',
      });
    }
    const { filter, sample = SAMPLE_DEFAULT, limit = Infinity } = options;
    const tap: OpenedTap = {
      options,
      filter: filterOf(filter),
      sample,
      limit,
      observer,
      places: tapPlaces(plan, options),
      counts: { shown: 0, passed: 0, looked: 0 },
    };
    this.#checkFilter(tap);
    const id = ++this.#last;
    this.#open.set(id, tap);
    this.#ask(id, tap);
    // Tells that it is open.
    observer.chunk({ records: [], counts: tap.counts });
    return () => this.#close(id);
  }

  /** Another attempt runs: it is asked what those before it were asked. */
  begin(): void {
    for (const [id, tap] of this.#open) {
      tap.places = tapPlaces(this.#run.now().plan, tap.options);
      this.#ask(id, tap);
    }
  }

  /** Takes what a slot has seen. */
  report({ tap: id, place, subtask, passed, looked, records, error }: TapReport): void {
    const tap = this.#open.get(id);
    if (tap === undefined) return;
    const { counts, limit, observer, places } = tap;
    const at = places[place]?.name ?? '';
    const shown = records
      .slice(0, limit - counts.shown)
      .map((record) => ({ ...record, at, subtask }));
    tap.counts = {
      shown: counts.shown + shown.length,
      passed: counts.passed + passed,
      looked: counts.looked + looked,
    };
    observer.chunk({ records: shown, counts: tap.counts });
    if (error === null && tap.counts.shown < limit) return;
    this.#close(id);
    observer.end(error);
  }

  /** The job has ended. */
  end(): void {
    for (const { observer } of this.#open.values()) observer.end(null);
    this.#open.clear();
  }

  #ask(tap: number, { places, filter, sample }: OpenedTap): void {
    this.#run.ask({ kind: 'open', tap, places: places.map(({ place }) => place), filter, sample });
  }

  #close(id: number): void {
    if (this.#open.delete(id)) this.#run.ask({ kind: 'close', tap: id });
  }

  /** Against the records that have passed already; where there are none, the first will tell. */
  #checkFilter({ filter, places }: OpenedTap): void {
    const { plan, deployment } = this.#run.now();
    if (filter === null) return;
    for (const { place, name } of places) {
      const stream = streamOf(plan, place);
      const known = new SchemaRegistry(deployment.registry).stream(stream).current();
      if (known === null) continue;
      try {
        typeOfExpression({ node: 'call', fn: 'and', args: [filter] }, known.schema);
      } catch (error) {
        if (!MillraceError.is(error)) throw error;
        throw error.at({ job: plan.jobName, operator: name });
      }
    }
  }
}

/** Checks what does not depend on the job. Throws OPTION_INVALID. */
function checkTap({ limit, sample, side }: TapOptions): void {
  const isWhole = (value: number, most: number): boolean =>
    Number.isInteger(value) && value >= 1 && value <= most;
  if (limit !== undefined && !isWhole(limit, Number.MAX_SAFE_INTEGER)) {
    throw invalid(`limit is ${limit}`, 'Give a whole number from 1.');
  }
  if (sample !== undefined && !isWhole(sample, SAMPLE_MAX)) {
    throw invalid(`sample is ${sample}`, `Give a whole number from 1 to ${SAMPLE_MAX}.`);
  }
  if (side !== undefined && side !== 'input' && side !== 'output') {
    throw invalid(`side is ${String(side)}`, "Write 'input' or 'output'.");
  }
}

function invalid(what: string, advice: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `The ${what}.`, { advice });
}

function filterOf(filter: TapOptions['filter']): Expression | null {
  if (filter === undefined) return null;
  return typeof filter === 'string' ? parseExpression(filter) : filter.expression;
}

/** The number of a place in the registry of schemas. */
function streamOf(plan: PhysicalPlan, place: TapPlace): number {
  const streams = new StreamIds(plan);
  if (place.kind === 'edge') return streams.edge(place.edge);
  if (place.kind === 'source') return streams.source(place.vertex);
  return streams.sink(place.vertex, place.sink);
}
