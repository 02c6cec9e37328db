/**
 * Finds a state of a part under test by its name and reads it. Callers: `test-harness.ts`. Runs on: the test's
 * thread. Invariant: what is given is a copy; a test cannot change state by accident.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { FunctionInspection } from '../operator/function-inspection.js';

/** A key, by name of its fields; `key` is the field of a key that a function computes. */
export type StateKey = Readonly<Record<string, unknown>>;

/** What a state holds. Throws TEST_MISUSED for a name that no function, or more than one, has declared. */
export function readState(
  functions: readonly FunctionInspection[],
  name: string,
  key: StateKey | undefined,
): unknown {
  const namesOf = (fn: FunctionInspection): readonly string[] =>
    key === undefined ? fn.operatorStates : fn.keyedStates;
  const owners = functions.filter((fn) => namesOf(fn).includes(name));
  const [owner, ...others] = owners;
  if (others.length > 0) throw ambiguous(name, owners);
  if (owner === undefined) {
    // A function declares its states with its first record; until then any name may be one.
    if (functions.some((fn) => fn.keyedStates.length + fn.operatorStates.length === 0)) {
      return undefined;
    }
    throw unknownState(name, functions.flatMap(namesOf), key !== undefined);
  }
  const held =
    key === undefined
      ? owner.operatorState(name)
      : owner.keyedState(name, keyValues(owner.keyNames, key));
  return structuredClone(held);
}

function keyValues(names: readonly string[], key: StateKey): readonly unknown[] {
  const given = Object.keys(key);
  const wrong = given.find((name) => !names.includes(name));
  if (wrong !== undefined || given.length < names.length) {
    throw new MillraceError(
      'TEST_MISUSED',
      `The key of the state has the fields ${names.join(', ')}, not ${given.join(', ')}.`,
      { advice: `Write state('name', { ${names.map((name) => `${name}: ...`).join(', ')} }).` },
    );
  }
  return names.map((name) => key[name]);
}

function ambiguous(name: string, owners: readonly FunctionInspection[]): MillraceError {
  const uids = owners.map(({ uid }) => uid).join(', ');
  return new MillraceError(
    'TEST_MISUSED',
    `${owners.length} functions have a state "${name}": ${uids}.`,
    { advice: 'Test them one by one, or give their states different names.' },
  );
}

function unknownState(name: string, known: readonly string[], isKeyed: boolean): MillraceError {
  const what = isKeyed ? 'keyed state' : 'state without a key';
  return new MillraceError('TEST_MISUSED', `There is no ${what} "${name}".`, {
    advice: didYouMean(name, known),
  });
}
