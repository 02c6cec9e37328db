/**
 * Two streams that share windows: the window operator over the union of both, whose records say which side they are
 * of. What it gives of a window is made as there is room for it, so that the pairs of a large window, of which there
 * may be many more than records, are never held. Callers: the api makes it, `chain-process.ts` calls it. Runs on: the
 * slot's thread. Invariant: users' assigners, triggers, evictors and side outputs see the records, never the union.
 */
import { MillraceError } from '../../base/errors.js';
import type { OpenProcess, OutputTag } from '../process-function.js';
import type { WindowAssigner } from '../window/assigner.js';
import type { Evictor, WindowElement } from '../window/evictor.js';
import type { Trigger } from '../window/trigger.js';
import {
  type EngineWindowContext,
  openWindows,
  type WindowContext,
} from '../window/window-operator.js';
import { type JoinType, keptSides, requireInsert } from './regular-join.js';

/** What a function that joins windows is told of the one at hand. */
export type JoinedWindow = Omit<WindowContext<never, never>, 'collect' | 'output'>;

/** Makes the results of a key and window of the records that each side has in it, in order of arrival. */
export type CoGroupFunction = (
  lefts: readonly unknown[],
  rights: readonly unknown[],
  window: JoinedWindow,
) => Iterable<unknown> | null | undefined;

/** What windows of two streams are made of, whose records are of a type of `T`. */
export interface WindowCoGroup<T = unknown> {
  readonly assigner: WindowAssigner<T>;
  readonly trigger: Trigger<T>;
  readonly evictor: Evictor<T> | null;
  readonly allowedLatenessMs: number;
  /** By side; null: late records are counted and dropped. */
  readonly lateTags: readonly [OutputTag<unknown> | null, OutputTag<unknown> | null];
  readonly apply: CoGroupFunction;
}

/** A record and the side it came from: what the window operator holds. */
interface Sided<T> {
  readonly side: 0 | 1;
  readonly record: T;
}

/** Makes the functions of windows of two streams. */
export function windowCoGroup<T>(parts: WindowCoGroup<T>): OpenProcess<T, unknown, unknown, T> {
  const { assigner, trigger, evictor, allowedLatenessMs, lateTags, apply } = parts;
  const windows = {
    assigner: {
      ...assigner,
      assign: ({ record }: Sided<T>, timeMs: number) => assigner.assign(record, timeMs),
      defaultTrigger: () => overUnion(assigner.defaultTrigger()),
    },
    trigger: overUnion(trigger),
    evictor: evictor === null ? null : evictsUnion(evictor),
    allowedLatenessMs,
    lateTag: null,
    lateTagOf({ side, record }: Sided<T>) {
      const tag = lateTags[side];
      return tag === null ? null : { tag, record };
    },
    fold: null,
    fn(held: readonly Sided<T>[], context: WindowContext<unknown, unknown>): void {
      const { collectAll, collect: _, output: __, ...window } = context as EngineContext;
      const of = (which: 0 | 1) =>
        held.filter(({ side }) => side === which).map(({ record }) => record);
      collectAll(apply(of(0), of(1), window as JoinedWindow));
    },
  };
  return function openCoGroup(context) {
    const operator = openWindows<Sided<T>, unknown, unknown>(windows, context);
    return {
      processElement(record, out) {
        requireInsert(out);
        operator.processElement({ side: 0, record }, out);
      },
      processElement2(record, out) {
        requireInsert(out);
        operator.processElement({ side: 1, record }, out);
      },
    };
  };
}

type EngineContext = EngineWindowContext<unknown, unknown>;

/** Pairs the records of a window; null stands for the partner that is not there. */
export function pairsOf(
  type: JoinType,
  apply: (left: unknown, right: unknown, window: JoinedWindow) => unknown,
): CoGroupFunction {
  const [keepsLeft, keepsRight] = keptSides(type);
  return function* eachPair(lefts, rights, window) {
    const firsts = lefts.length === 0 && keepsRight ? [null] : lefts;
    const seconds = rights.length === 0 && keepsLeft ? [null] : rights;
    for (const left of firsts) for (const right of seconds) yield apply(left, right, window);
  };
}

/** Method by method, since a trigger of one's own may be of a class. */
function overUnion<T>(trigger: Trigger<T>): Trigger<Sided<T>> {
  return {
    onElement: ({ record }, ...others) => trigger.onElement(record, ...others),
    onEventTime: (...args) => trigger.onEventTime?.(...args) ?? 'continue',
    onProcessingTime: (...args) => trigger.onProcessingTime?.(...args) ?? 'continue',
    clear: (...args) => trigger.clear?.(...args),
    ...(trigger.onMerge === undefined ? {} : { onMerge: (...args) => trigger.onMerge?.(...args) }),
  };
}

function evictsUnion<T>(evictor: Evictor<T>): Evictor<Sided<T>> {
  return {
    when: evictor.when,
    evict(elements, window) {
      const whole = new Map<WindowElement<T>, WindowElement<Sided<T>>>();
      for (const element of elements) {
        whole.set({ record: element.record.record, timeMs: element.timeMs }, element);
      }
      return evictor.evict([...whole.keys()], window).map((kept) => {
        const element = whole.get(kept);
        if (element === undefined) throw madeUp();
        return element;
      });
    },
  };
}

function madeUp(): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    'An evictor gave an element that is not of its window.',
    {
      advice: 'Give some of the elements that it is given, in their order; do not make others.',
    },
  );
}
