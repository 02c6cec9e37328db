/**
 * What `aggregate({ total: sum('price') })` is given, checked and turned into specs. Callers: keyed and windowed
 * streams. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import type { AggregateSpec } from '../operator/operator-spec.js';
import type { NamedLater } from './aggregates.js';

/** The specs of named aggregates; none may have a name in `taken`, which maps names to what has them. */
export function aggregateSpecs(
  aggregates: Readonly<Record<string, NamedLater>>,
  taken: ReadonlyMap<string, string>,
): readonly AggregateSpec[] {
  const specs = Object.entries(aggregates).map(([name, aggregate]) => {
    checkName(name, taken);
    if (typeof aggregate?.toSpec === 'function') return aggregate.toSpec(name);
    throw new MillraceError('OPTION_INVALID', `aggregate({ ${name} }) is no aggregate.`, {
      where: { operator: 'aggregate', field: name },
      advice: "Write aggregate({ total: sum('price'), flights: count() }).",
    });
  });
  if (specs.length === 0) {
    throw new MillraceError('OPTION_INVALID', 'aggregate({}) has nothing to compute.', {
      where: { operator: 'aggregate' },
      advice: "Write aggregate({ flights: count() }), or distinct('origin') for the keys alone.",
    });
  }
  return specs;
}

function checkName(name: string, taken: ReadonlyMap<string, string>): void {
  const what = taken.get(name);
  if (what === undefined) return;
  throw new MillraceError('OPTION_INVALID', `aggregate(...): "${name}" is ${what}.`, {
    where: { operator: 'aggregate', field: name },
    advice: `Give the aggregate another name; the result holds ${what} too.`,
  });
}
