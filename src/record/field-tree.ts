/**
 * Which fields of records are in use, down into the objects that they hold: names, each with what is in use of its
 * own fields. Callers: column pruning, which finds it; sources, which read no more than that. Runs on: any thread;
 * pure. Invariant: null means all of a value, an empty tree that it only matters whether there is one.
 */
import type { Field, Schema } from './schema.js';

/** What is in use of an object; null for all of it. */
export type FieldTree = ReadonlyMap<string, FieldTree> | null;

/** The names that lead from a record to a field within, the outermost first. */
export type FieldPath = readonly string[];

/** The tree of whole fields; of null, all. */
export function treeOf(names: Iterable<string> | null): FieldTree {
  return names === null ? null : new Map([...names].map((name) => [name, null]));
}

/** The tree in which a field is in use of which `below` is. */
export function treeAt(path: FieldPath, below: FieldTree = null): FieldTree {
  return path.reduceRight<FieldTree>((tree, name) => new Map([[name, tree]]), below);
}

/** What either of two trees has. */
export function unionOf(a: FieldTree, b: FieldTree): FieldTree {
  if (a === null || b === null) return null;
  const union = new Map(a);
  for (const [name, below] of b) {
    const known = union.get(name);
    union.set(name, known === undefined ? below : unionOf(known, below));
  }
  return union;
}

/** Names of the fields of records that are in use at all, sorted; null for all. */
export function namesOf(tree: FieldTree): readonly string[] | null {
  return tree === null ? null : [...tree.keys()].sort();
}

/** Paths of what is in use within fields that are not used whole, sorted. */
export function pathsOf(tree: FieldTree): readonly FieldPath[] {
  const paths: FieldPath[] = [];
  for (const name of namesOf(tree) ?? []) {
    const below = tree?.get(name) ?? null;
    if (below !== null && below.size > 0) collect([name], below, paths);
  }
  return paths;
}

function collect(path: FieldPath, tree: FieldTree, paths: FieldPath[]): void {
  const names = namesOf(tree) ?? [];
  if (names.length === 0) paths.push(path);
  for (const name of names) collect([...path, name], tree?.get(name) ?? null, paths);
}

/** The tree of names, and of paths within some of them. */
export function treeOfPaths(
  names: readonly string[] | null,
  paths: readonly FieldPath[],
): FieldTree {
  if (names === null) return null;
  const within = paths.map((path) => treeAt(path)).reduce(unionOf, new Map());
  return new Map(names.map((name) => [name, within?.get(name) ?? null]));
}

/** The schema with the fields in use only; of no schema, objects without fields. */
export function projectedSchema(schema: Schema | null, tree: FieldTree): Schema {
  if (schema === null) return { shape: 'object', fields: [] };
  return tree === null ? schema : { ...schema, fields: projectedFields(schema.fields, tree) };
}

function projectedFields(fields: readonly Field[], tree: ReadonlyMap<string, FieldTree>): Field[] {
  return fields
    .filter(({ name }) => tree.has(name))
    .map((field) => {
      const below = partOf(field, tree.get(field.name) ?? null);
      if (below === null || field.type.kind !== 'struct') return field;
      return {
        ...field,
        type: { kind: 'struct', fields: projectedFields(field.type.fields, below) },
      };
    });
}

/**
 * What is to be read of the fields of an object, or null for all: where it has not all fields that are in use, nobody
 * knows yet which of the others matter, and a reader of no fields could not tell one object from another.
 */
export function partOf({ type }: Field, tree: FieldTree): FieldTree {
  if (tree === null || tree.size === 0 || type.kind !== 'struct') return null;
  const names = new Set(type.fields.map(({ name }) => name));
  return [...tree.keys()].every((name) => names.has(name)) ? tree : null;
}
