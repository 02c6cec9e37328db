/**
 * All that a row parser says about bytes that come in chunks, read with the row scanner or without. Callers: the
 * property tests of scanned rows.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { type ByteFeed, FEED_END } from '../../src/connector/file/byte-feed.js';
import { ByteWindow, FILL_READY } from '../../src/connector/file/byte-window.js';
import {
  PARSE_BAD,
  PARSE_FULL,
  PARSE_MISFIT,
  PARSE_MORE,
  ParseCursor,
  type RowParser,
  type RowParserOptions,
} from '../../src/format/bytes/row-parser.js';
import { type BatchBuilder, createBatchBuilder } from '../../src/record/batch-builder.js';
import { valueAt } from '../../src/record/column-value.js';
import type { Schema } from '../../src/record/schema.js';

const CAPACITY = 70;
const ROW_BYTES_MAX = 1 << 20;

/** Bytes that are cut out of a text, and put in. */
export const damage = fc.array(
  fc.record({
    at: fc.nat(),
    cut: fc.nat(3),
    insert: fc.constantFrom(
      '',
      '"',
      '\\',
      ',',
      '{',
      '}',
      '\n',
      '\r',
      ' ',
      '0',
      '.',
      '\u0001',
      'ü',
      '\ud800',
    ),
  }),
  { maxLength: 4 },
);
export function damaged(
  content: string,
  places: readonly { readonly at: number; readonly cut: number; readonly insert: string }[],
): Buffer {
  let result = Buffer.from(content);
  for (const { at, cut, insert } of places) {
    const from = at % (result.length + 1);
    // Half of a pair stands for bytes that are not UTF-8.
    const put = insert === '\ud800' ? Buffer.from([0xff]) : Buffer.from(insert);
    result = Buffer.concat([result.subarray(0, from), put, result.subarray(from + cut)]);
  }
  return result;
}

/** Rows with their places, bad rows and proposals, in order. */
export function outcome(
  schema: Schema,
  create: (options: RowParserOptions) => RowParser,
  bytes: Buffer,
  chunks: readonly number[],
  scans: boolean,
  prepare: (builder: BatchBuilder) => void = () => {},
): readonly unknown[] {
  const builder = createBatchBuilder(schema, 0, {
    capacity: CAPACITY,
    times: false,
    kinds: false,
    keepsEntries: scans,
  });
  prepare(builder);
  const rowStarts = new Float64Array(CAPACITY);
  const parser = create({ builder, rowStarts, wanted: [] });
  const window = new ByteWindow(ROW_BYTES_MAX);
  const cursor = new ParseCursor();
  window.open(feedOf(bytes, chunks), 0, false, cursor);
  const said: unknown[] = [];
  const take = (): void => {
    const { columns, rows } = builder.take();
    for (let row = 0; row < rows; row++) {
      said.push([rowStarts[row], ...columns.map((column) => valueAt(column, row))]);
    }
    builder.reset();
  };
  for (;;) {
    const { position } = cursor;
    switch (parser.parse(window.buffer, window.view, cursor)) {
      case PARSE_FULL:
        take();
        break;
      case PARSE_MORE:
        if (window.fill(cursor) !== FILL_READY) {
          take();
          return said;
        }
        if (scans) expect(cursor.memory).not.toBeNull();
        else cursor.memory = null;
        break;
      case PARSE_BAD:
        take();
        said.push([cursor.base + cursor.position, cursor.problem, cursor.field]);
        cursor.position = cursor.rowEnd;
        break;
      case PARSE_MISFIT: {
        take();
        said.push([cursor.base + cursor.position, cursor.proposal]);
        const newline = window.buffer.indexOf(0x0a, cursor.position);
        cursor.position = Math.max(newline + 1, position);
        break;
      }
    }
  }
}

function feedOf(bytes: Buffer, chunks: readonly number[]): ByteFeed {
  let at = 0;
  let reads = 0;
  return {
    fileBytesRead: 0,
    read(target, offset, length): number {
      const wanted = Math.min(length, chunks[reads++ % chunks.length]);
      const part = bytes.subarray(at, at + wanted);
      if (part.length === 0) return FEED_END;
      target.set(part, offset);
      at += part.length;
      return part.length;
    },
    close(): void {},
  };
}
