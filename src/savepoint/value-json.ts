/**
 * Values of state as JSON and back: plain JSON where a value is that, an object with one member that begins with `$`
 * where it is not. Callers: commands that print and edit state, comparisons. Runs on: any thread; pure. Invariant: what
 * is read is equal to what was written; for what has no form of its own that holds by its bytes, as `$v8`.
 */
import { types } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { MillraceError } from '../base/errors.js';
import { isPlainObject } from '../record/any-value.js';
import { setOwn } from '../record/column-value.js';

/** A value as JSON data, for `JSON.stringify`. */
export function valueToJson(value: unknown): unknown {
  return toJson(value, []);
}

function toJson(value: unknown, trail: readonly object[]): unknown {
  switch (typeof value) {
    case 'bigint':
      return { $bigint: String(value) };
    case 'undefined':
      return { $undefined: true };
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: numberText(value) };
    case 'object':
      return value === null ? null : objectToJson(value, trail);
    default:
      return value;
  }
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Thrown through the walk by what contains itself, which only the bytes of the whole can say. */
class Cycle extends Error {}

function objectToJson(value: object, trail: readonly object[]): unknown {
  if (trail.includes(value)) throw new Cycle();
  const inside = [...trail, value];
  try {
    if (Array.isArray(value)) return Array.from(value, (item) => toJson(item, inside));
    if (types.isDate(value))
      return { $date: Number.isNaN(value.getTime()) ? null : value.toISOString() };
    if (types.isMap(value)) {
      const pairs = [...value].map(([key, item]) => [toJson(key, inside), toJson(item, inside)]);
      return { $map: pairs };
    }
    if (types.isSet(value)) return { $set: [...value].map((item) => toJson(item, inside)) };
    if (value.constructor === Uint8Array) {
      return { $bytes: Buffer.from(value as Uint8Array).toString('base64') };
    }
    if (!isPlainObject(value)) return wholeBytes(value);
    const members: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value))
      setOwn(members, name, toJson(member, inside));
    const [name, ...others] = Object.keys(members);
    const isLikeATag = name?.startsWith('$') === true && others.length === 0;
    return isLikeATag ? { $object: members } : members;
  } catch (error) {
    if (!(error instanceof Cycle) || trail.length > 0) throw error;
    return wholeBytes(value);
  }
}

function wholeBytes(value: unknown): unknown {
  return { $v8: serialize(value).toString('base64') };
}

/** The value of JSON data. Throws VALUE_UNSUPPORTED for a member with `$` that stands for nothing. */
export function valueFromJson(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(valueFromJson);
  const [member, ...others] = Object.entries(json) as [string, never][];
  if (member === undefined || others.length > 0 || !member[0].startsWith('$')) return plain(json);
  const [tag, content] = member;
  switch (tag) {
    case '$bigint':
      return BigInt(content);
    case '$undefined':
      return undefined;
    case '$number':
      return Number(content);
    case '$date':
      return new Date(content ?? Number.NaN);
    case '$map':
      return new Map((valueFromJson(content) as [unknown, unknown][]).values());
    case '$set':
      return new Set(valueFromJson(content) as unknown[]);
    case '$bytes':
      return new Uint8Array(Buffer.from(content, 'base64'));
    case '$object':
      return plain(content);
    case '$v8':
      return deserialize(Buffer.from(content, 'base64'));
    default:
      throw new MillraceError('VALUE_UNSUPPORTED', `${JSON.stringify(tag)} stands for no value.`, {
        advice: 'Give an object whose names begin with $ as { "$object": { ... } }.',
      });
  }
}

function plain(json: object): unknown {
  const value: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(json)) setOwn(value, name, valueFromJson(member));
  return value;
}
