/**
 * Figures as people read them: three significant digits and a prefix. Callers: `print-case.mjs`, `report-html.mjs`.
 */

const THOUSANDS = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];
const BINARY = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
];

/** @param {number} value */
export function significant(value) {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

/** @param {number} value */
export function count(value) {
  for (const [factor, prefix] of THOUSANDS) {
    if (Math.abs(value) >= factor) return `${significant(value / factor)} ${prefix}`;
  }
  return significant(value);
}

/** @param {number} bytes */
export function byteSize(bytes) {
  for (const [factor, unit] of BINARY) {
    if (bytes >= factor) return `${significant(bytes / factor)} ${unit}`;
  }
  return `${significant(bytes)} B`;
}

/**
 * A measure's value with its unit.
 *
 * @param {number} value
 * @param {string} unit
 */
export function withUnit(value, unit) {
  return unit.endsWith('/s')
    ? `${count(value)}${value >= 1000 ? '' : ' '}${unit}`
    : `${significant(value)} ${unit}`;
}
