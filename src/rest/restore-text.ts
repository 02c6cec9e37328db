/**
 * What a plan of a restore says of operators and states, in words. Callers: the command line, the console. Runs on: any
 * thread; pure.
 */
import { formatBytes } from '../base/units.js';
import type { RestorePlan } from './restore-schemas.js';

/** An operator of the plan, of the checkpoint, or of both. */
export type PlannedOperator = RestorePlan['operators'][number];
type PlannedState = NonNullable<PlannedOperator['states']>[number];

/** `2 → 4` where it changes. */
export function changeText(before: number | undefined, now: number | undefined): string {
  const [was, is] = [before, now].map((each) => (each === undefined ? null : String(each)));
  if (was === null || is === null || was === is) return is ?? was ?? '';
  return `${was} → ${is}`;
}

/** What the checkpoint holds of it, and what was perhaps meant. */
export function heldText({ before, fate, perhapsNow }: PlannedOperator): string {
  const parts = before === null ? [] : heldBy(before);
  const hint = perhapsNow === null ? [] : [`perhaps now "${perhapsNow}"`];
  const lost = fate === 'lost' && parts.length === 0 ? ['had state'] : [];
  return [...parts, ...lost, ...hint].join('; ');
}

/** The states whose declaration has changed, and what becomes of their values. */
export function changedStates(
  operators: RestorePlan['operators'],
): readonly { readonly text: string; readonly how: readonly string[] }[] {
  return operators.flatMap(({ uid, states }) =>
    (states ?? []).flatMap(({ name, fate, before, now, how }) => {
      const said = FATES[fate];
      if (said === null) return [];
      const types = fate === 'dropped' ? '' : `: ${before ?? 'any'} → ${now ?? 'any'}`;
      return [{ text: `${uid} ${name} ${said}${types}`, how }];
    }),
  );
}

/** Whether a job that is started so would not run. */
export function isImpossible({ refusals, unreadable }: RestorePlan): boolean {
  return refusals.length + unreadable.length > 0;
}

const FATES: Readonly<Record<PlannedState['fate'], string | null>> = {
  compatibleAsIs: null,
  new: null,
  compatibleAfterMigration: 'is migrated',
  incompatible: 'cannot be migrated',
  dropped: 'is not declared any more, and will be in no checkpoint of the job',
};

function heldBy({
  states,
  source,
  sink,
}: NonNullable<PlannedOperator['before']>): readonly string[] {
  const names = states.map(({ name, bytes }) => `${name} ${formatBytes(bytes).trim()}`);
  const splits =
    source === null ? [] : [`${source.inHand} splits in hand, ${source.finished} finished`];
  const pending = sink === null || sink.pending === 0 ? [] : [`${sink.pending} to commit`];
  return [...(names.length === 0 ? [] : [names.join(', ')]), ...splits, ...pending];
}
