/** A time of Nexmark, which is in milliseconds since the epoch, as a moment. Callers: queries that ask for days. */
import { col } from 'millrace';

/** @param {string} field */
export function moment(field) {
  return col(field).cast('timestamp');
}
