/**
 * What can be said of windows beside which they are: trigger, evictor, lateness. Callers: windowed streams and joins
 * in windows. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { type Duration, formatDuration, parseDurationMs } from '../base/units.js';
import { alignedAssigner, type WindowTime } from '../operator/window/assigner.js';
import type { Evictor } from '../operator/window/evictor.js';
import type { Trigger } from '../operator/window/trigger.js';
import type { WindowOperatorParts } from '../operator/window/window-operator.js';
import type { Windows } from './windows.js';

/** Windows of records of type `T`, and what was said of them. */
export interface WindowSettings<T> {
  readonly windows: Windows<T>;
  readonly allowedLatenessMs: number | null;
  /** Those given to `trigger` and `evictor`. */
  readonly trigger?: Trigger<T>;
  readonly evictor?: Evictor<T>;
}

/** Settings that are to be replaced. */
type Changed<T> = Partial<WindowSettings<T>>;

/** For how long windows are kept after their end. Throws OPTION_INVALID where nothing is ever late. */
export function withLateness<T>(settings: WindowSettings<T>, lateness: Duration): Changed<T> {
  const allowedLatenessMs = parseDurationMs(lateness, 'allowedLateness');
  checkMayBeLate('allowedLateness', settings);
  return { allowedLatenessMs };
}

/** Throws OPTION_INVALID for what is no trigger. */
export function withTrigger<T>(trigger: Trigger<T>): Changed<T> {
  if (typeof trigger?.onElement !== 'function') throw noPart('trigger', 'countTrigger(100)');
  return { trigger };
}

/** Throws OPTION_INVALID for what is no evictor. */
export function withEvictor<T>(evictor: Evictor<T>): Changed<T> {
  if (typeof evictor?.evict !== 'function') throw noPart('evictor', 'countEvictor(100)');
  return { evictor };
}

/** The id of a tag for late records. Throws OPTION_INVALID for no tag, and where nothing is ever late. */
export function lateTagId<T>(verb: string, settings: WindowSettings<T>, tag: unknown): string {
  checkMayBeLate(verb, settings);
  const id: unknown = typeof tag === 'object' && tag !== null ? Reflect.get(tag, 'id') : null;
  if (typeof id === 'string' && id !== '') return id;
  throw new MillraceError('OPTION_INVALID', `${verb}(...) takes a tag.`, {
    where: { operator: verb },
    advice: `Write const late = outputTag('late') once, and ${verb}(late).`,
  });
}

function checkMayBeLate<T>(verb: string, { windows }: WindowSettings<T>): void {
  if (timeOf(windows) === 'event') return;
  throw new MillraceError(
    'OPTION_INVALID',
    `${verb}(...) is about event time, but these windows go by the wall clock or have no end.`,
    { where: { operator: verb }, advice: 'No record is late for such a window.' },
  );
}

/** The settings as the operator takes them. Throws OPTION_INVALID for sessions with a trigger that cannot merge. */
export function windowParts<T>(
  verb: string,
  settings: WindowSettings<T>,
): Pick<
  WindowOperatorParts<T, never, never>,
  'assigner' | 'trigger' | 'evictor' | 'allowedLatenessMs'
> {
  const { windows, allowedLatenessMs } = settings;
  const given = windows.kind === 'general' ? windows : null;
  const assigner =
    windows.kind === 'general'
      ? windows.assigner
      : alignedAssigner(windows.grid, windows.time, windows.firesAtEnd);
  const trigger = settings.trigger ?? given?.trigger ?? assigner.defaultTrigger();
  if (assigner.merges && trigger.onMerge === undefined) throw cannotMerge(verb);
  const evictor = settings.evictor ?? given?.evictor ?? null;
  return { assigner, trigger, evictor, allowedLatenessMs: allowedLatenessMs ?? 0 };
}

/** Such as `sessions of 30.0 s, with a trigger`, for explain. */
export function windowsText<T>(settings: WindowSettings<T>): string {
  const { windows, allowedLatenessMs, trigger, evictor } = settings;
  const parts = [windows.text];
  if (allowedLatenessMs !== null) {
    parts.push(`kept for late records ${formatDuration(allowedLatenessMs)}`);
  }
  if (trigger !== undefined) parts.push('with a trigger');
  if (evictor !== undefined) parts.push('with an evictor');
  return parts.join(', ');
}

function timeOf<T>(windows: Windows<T>): WindowTime {
  return windows.kind === 'aligned' ? windows.time : windows.assigner.time;
}

function noPart(verb: string, example: string): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    `${verb}(...) takes ${verb === 'trigger' ? 'a trigger' : 'an evictor'}.`,
    {
      where: { operator: verb },
      advice: `Write ${verb}(${example}), or give an object with the methods of one.`,
    },
  );
}

function cannotMerge(verb: string): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    `${verb}(...): sessions need a trigger that can merge.`,
    {
      where: { operator: verb },
      advice: 'Give the trigger a method onMerge(window, context), or use another kind of windows.',
    },
  );
}
