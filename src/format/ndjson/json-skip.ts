/**
 * Walks over JSON values in bytes without looking at what they mean: strings with their escapes,
 * nested values by balance, scalars up to the next delimiter. This is all that `validate:
 * 'projected'` asks of values nobody wants. Callers: the NDJSON row reader, generated code.
 * Runs on: worker. Every function starts at the first byte of the value and gives the index after
 * it, or -1; a newline always ends the walk, so rows never run into each other.
 */

/** Index after the string whose opening quote is at `at`, or -1 when the row ends first. */
export function skipString(bytes: Buffer, at: number): number {
  let next = at + 1;
  for (;;) {
    const unit = bytes[next];
    if (unit === 0x22) return next + 1;
    if (unit === 0x0a) return -1;
    if (unit === 0x5c) {
      if (bytes[next + 1] === 0x0a) return -1;
      next++;
    }
    next++;
  }
}

/** Index after the object or list that opens at `at`, or -1 when the row ends first. */
export function skipNested(bytes: Buffer, at: number): number {
  let next = at;
  let depth = 0;
  for (;;) {
    const unit = bytes[next];
    if (unit === 0x22) {
      next = skipString(bytes, next);
      if (next < 0) return -1;
      continue;
    }
    if (unit === 0x0a) return -1;
    next++;
    if (unit === 0x7b || unit === 0x5b) depth++;
    else if ((unit === 0x7d || unit === 0x5d) && --depth === 0) return next;
  }
}

/** Index after the value at `at`, or -1 when there is none or the row ends within it. */
export function skipValue(bytes: Buffer, at: number): number {
  const lead = bytes[at];
  if (lead === 0x22) return skipString(bytes, at);
  if (lead === 0x7b || lead === 0x5b) return skipNested(bytes, at);
  let next = at;
  let unit = lead;
  // Up to a comma, a closing bracket or white space.
  while (unit > 0x20 && unit !== 0x2c && unit !== 0x7d && unit !== 0x5d) unit = bytes[++next];
  return next === at ? -1 : next;
}

/** Index of the first byte from `at` on that is no blank; a newline is not skipped. */
export function skipBlanks(bytes: Buffer, at: number): number {
  let next = at;
  let unit = bytes[next];
  while (unit === 0x20 || unit === 0x09 || unit === 0x0d) unit = bytes[++next];
  return next;
}
