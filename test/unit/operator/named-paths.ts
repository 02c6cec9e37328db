/** How tests write down which fields of objects are in use. */
import type { FieldTree } from '../../../src/record/field-tree.js';

/** The paths of a tree, `bid.price`; with a `?` behind those of which it only matters whether they are there. */
export function namedPaths(tree: FieldTree): readonly string[] | null {
  if (tree === null) return null;
  return [...tree].flatMap(([name, below]) => {
    const within = namedPaths(below);
    if (within === null) return [name];
    return within.length === 0 ? [`${name}?`] : within.map((path) => `${name}.${path}`);
  });
}
