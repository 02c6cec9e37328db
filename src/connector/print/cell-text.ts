/**
 * Values as people read them in a table. Callers: `print.ts`, later the console. Runs on: the
 * caller's thread; pure.
 */
import type { DataType } from '../../record/schema.js';
import { visibleText } from './text-width.js';

/** A cell of a table. */
export interface Cell {
  readonly text: string;
  /** Null and missing values are dimmed, so that they are not taken for texts. */
  readonly dimmed: boolean;
}

/** Digits after the point of numbers that are not whole. */
const FRACTION_DIGITS = 3;

/** The text of a value of a column of the given type. */
export function cellOf(value: unknown, type: DataType): Cell {
  if (value === null) return { text: 'null', dimmed: true };
  if (value === undefined) return { text: '', dimmed: true };
  if (type.kind === 'date' && value instanceof Date) return plain(isoText(value).slice(0, 10));
  return plain(visibleText(textOf(value)));
}

/** Whether values of a type are aligned to the right. */
export function isNumeric(type: DataType): boolean {
  return type.kind === 'decimal' || /^(number|u?int\d+|float\d+)$/.test(type.kind);
}

function plain(text: string): Cell {
  return { text, dimmed: false };
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberText(value);
    case 'object':
      return objectText(value);
    default:
      return String(value);
  }
}

/** Rounded for reading; very large and very small numbers keep their exponent. */
function numberText(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e15 || magnitude < 1e-3) return value.toPrecision(4);
  return value.toFixed(FRACTION_DIGITS);
}

function objectText(value: object | null): string {
  if (value instanceof Date) return isoText(value).replace('T', ' ').replace('.000Z', 'Z');
  if (value instanceof Uint8Array) {
    const shown = Buffer.from(value.subarray(0, 16)).toString('hex');
    return `0x${shown}${value.length > 16 ? '…' : ''}`;
  }
  return JSON.stringify(value, (_, part: unknown) => jsonPart(part)) ?? String(value);
}

function jsonPart(part: unknown): unknown {
  if (typeof part === 'bigint') return part.toString();
  if (part instanceof Map) return Object.fromEntries([...part].map(([k, v]) => [String(k), v]));
  return part instanceof Set ? [...part] : part;
}

/** Instants outside of what a `Date` can hold are invalid, which ISO 8601 has no text for. */
function isoText(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'invalid date' : date.toISOString();
}
