/**
 * Collects one example of every shape of JSON value: keys in order and the types below them, all
 * that inference looks at. A sample of thousands of rows alike then costs the inference of one.
 * Callers: the NDJSON source at plan time. Runs on: the caller's thread; pure.
 */

/** Distinct values, as far as inference can tell them apart. */
export class JsonShapes {
  /** The first value of each shape, in the order they came. */
  readonly examples: unknown[] = [];
  readonly #known = new Set<string>();

  /** Takes a value from `JSON.parse`. */
  add(value: unknown): void {
    const shape = shapeOf(value);
    if (this.#known.has(shape)) return;
    this.#known.add(shape);
    this.examples.push(value);
  }
}

/** Lists are written with each of their items: what inference makes of them depends on all. */
function shapeOf(value: unknown): string {
  if (typeof value !== 'object') return typeof value;
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map(shapeOf).join()}]`;
  let shape = '{';
  for (const [name, item] of Object.entries(value)) {
    // Names may hold anything, so each is followed by what no other way of splitting can imitate.
    shape += `${name.length}:${name}=${shapeOf(item)};`;
  }
  return `${shape}}`;
}
