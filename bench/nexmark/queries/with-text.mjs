/** Dates and moments of a result as texts. Callers: q15, q16, q17. */
import { col } from 'millrace';

/**
 * @param {import('millrace').Stream<Record<string, unknown>>} stream
 * @param {Record<string, string>} formats by field
 */
export function withText(stream, formats) {
  return Object.entries(formats).reduce((result, [field, format]) => {
    return result.withColumn(field, col(field).formatDate(format));
  }, stream);
}
