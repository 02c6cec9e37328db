/** A small validator of the schemas of the REST interface, which shares nothing with the one in the server. */
type Json = Readonly<Record<string, unknown>>;

/** What is wrong with a value, with its place; null when it fits. */
export function mismatch(schema: Json, value: unknown, place = '$'): string | null {
  const { anyOf, type, enum: choices, pattern } = schema;
  if (Array.isArray(anyOf)) {
    const tried = anyOf.map((option) => mismatch(option, value, place));
    return tried.includes(null) ? null : tried.join(' or ');
  }
  if (typeof type === 'string' && !isOf(type, value)) return `${place} is no ${type}`;
  if (Array.isArray(choices) && !choices.includes(value)) return `${place} is ${String(value)}`;
  if (typeof pattern === 'string' && !new RegExp(pattern).test(String(value))) {
    return `${place} does not match ${pattern}`;
  }
  if (type === 'array') return inList(schema['items'] as Json, value as unknown[], place);
  return type === 'object' ? inObject(schema, value as Json, place) : null;
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}

function inList(items: Json, value: readonly unknown[], place: string): string | null {
  for (const [index, item] of value.entries()) {
    const wrong = mismatch(items, item, `${place}[${index}]`);
    if (wrong !== null) return wrong;
  }
  return null;
}

function inObject(schema: Json, value: Json, place: string): string | null {
  const { properties = {}, required = [], additionalProperties } = schema;
  for (const name of required as string[]) if (!(name in value)) return `${place} has no ${name}`;
  for (const [name, member] of Object.entries(value)) {
    const known = (properties as Readonly<Record<string, Json>>)[name];
    if (known === undefined && additionalProperties === false) return `${place} has ${name}`;
    const other = typeof additionalProperties === 'object' ? additionalProperties : {};
    const wrong = mismatch(known ?? (other as Json), member, `${place}.${name}`);
    if (wrong !== null) return wrong;
  }
  return null;
}
