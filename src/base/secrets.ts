/**
 * What nobody should read by looking: values whose names say that they are secrets. Callers: the views of the server,
 * its logs, support bundles. Runs on: any thread; pure.
 */

/** Names of secrets, as Flink has them. */
const SECRET = /password|secret|token|credential|apikey|api-key|access-key|auth|headers|hosturl/i;
/** What is shown in the place of a secret. */
export const HIDDEN = '******';

/** Whether the name of a value says that it is a secret. */
export function isSecret(name: string): boolean {
  return SECRET.test(name);
}

/** A value as text, unless its name says that it is a secret. */
export function shown(name: string, value: unknown): string {
  if (isSecret(name)) return HIDDEN;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The value with what is secret in it hidden, however deep. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name,
      isSecret(name) ? HIDDEN : withoutSecrets(part),
    ]),
  );
}
