/**
 * Finds the valid name that a misspelt one most likely meant, for error messages. Callers: validation of
 * options, fields and configuration keys. Runs on: any thread; pure.
 */

/**
 * The candidate within a small edit distance of `name`, or null. Distance is Damerau-Levenshtein
 * (optimal string alignment), ignoring case; at most a third of the name may differ.
 *
 * @example
 * nearestName('paralellism', ['parallelism', 'slot']); // 'parallelism'
 */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  const wanted = name.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** "Did you mean …?" or, when nothing is near, the list of what there is. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const known = [...candidates];
  const nearest = nearestName(name, known);
  if (nearest !== null) return `Did you mean "${nearest}"?`;
  if (known.length === 0) return 'There is nothing to choose from.';
  return `Known: ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', …' : ''}.`;
}

function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(substitution, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) distance = Math.min(distance, (beforeLast[j - 2] ?? 0) + 1);
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
