/**
 * Decimals: canonical text such as '-12.50' with exactly `scale` digits after the point, and the
 * unscaled integer that columns up to 18 digits hold. Callers: appenders, row codec, key hashes.
 * Runs on: any thread; pure.
 */

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** The unscaled integer of a decimal text, or null when it is no decimal or would lose digits. */
export function decimalUnscaled(text: string, precision: number, scale: number): bigint | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > scale) return null;
  const digits = (match[2] + fraction.padEnd(scale, '0')).replace(/^0+(?=.)/, '');
  if (digits.length > precision && digits !== '0') return null;
  const magnitude = BigInt(digits);
  return match[1] === '-' ? -magnitude : magnitude;
}

/** The canonical text of an unscaled integer. */
export function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString();
  if (scale === 0) return sign + digits;
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** The canonical form of a decimal text, or null when it is no decimal or would lose digits. */
export function canonicalDecimal(text: string, precision: number, scale: number): string | null {
  const unscaled = decimalUnscaled(text, precision, scale);
  return unscaled === null ? null : decimalText(unscaled, scale);
}
