/**
 * Telling plain data from class instances, and freezing it. Callers: the plan and its fingerprint,
 * the api. Runs on: any thread; pure.
 */

/**
 * Whether a value is an object made by a literal (or without prototype), not an instance of a
 * class.
 */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === null || proto === Object.prototype;
}

/**
 * Properties that hold values of the user's or a connector's making, which keep state and stay as
 * they are.
 */
const FOREIGN: ReadonlySet<string> = new Set(['connector', 'aggregator', 'fn']);

/**
 * Freezes nested plain objects and arrays; connectors, functions and class instances stay
 * untouched.
 */
export function freezePlain<T>(value: T): T {
  if (!Array.isArray(value) && !isPlainObject(value)) return value;
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const [name, member] of Object.entries(value)) {
    if (!FOREIGN.has(name)) freezePlain(member);
  }
  return value;
}
