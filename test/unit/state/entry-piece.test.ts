import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  BytesColumn,
  EntryBlock,
  keyColumns,
  valueColumns,
  type ValuesColumn,
} from '../../../src/state/entry-block.js';
import {
  encodeLayout,
  EntryPiece,
  isTablePiece,
  writePiece,
} from '../../../src/state/entry-piece.js';
import type { TableSpec } from '../../../src/state/contract.js';
import { layoutOf } from '../../../src/state/table-layout.js';

const SPEC: TableSpec = {
  name: 's',
  keys: [{ kind: 'utf8' }],
  columns: [
    { name: 'a', form: 'u8' },
    { name: 'b', form: 'i64' },
    { name: 'c', form: 'js' },
  ],
  ttlMs: null,
};

describe('pieces of entries', () => {
  it('give back what they say of themselves, entries, and keys of removed ones', () => {
    const [keys, values] = [keyColumns(SPEC), valueColumns(SPEC)];
    const entries = new EntryBlock([...keys, ...values], 's');
    const removed = new EntryBlock(keys, 's');
    const encoder = new TextEncoder();
    ['ä', '', 'three'].forEach((text, row) => {
      const bytes = encoder.encode(text);
      (entries.columns.k0 as BytesColumn).add(bytes, 0, bytes.length);
      (entries.columns.c0 as Uint8Array)[row] = 250 + row;
      (entries.columns.c1 as BigInt64Array)[row] = -(2n ** 63n) + BigInt(row);
      (entries.columns.c2 as ValuesColumn).add([row]);
      entries.rows++;
    });
    (removed.columns.k0 as BytesColumn).add(encoder.encode('gone'), 0, 4);
    removed.rows++;
    const head = { keyGroup: 7, isChanges: true, isMore: true, hasStamps: false };
    const piece = new EntryPiece(writePiece(head, encodeLayout(SPEC), entries, removed));
    expect(piece).toMatchObject({
      ...head,
      rows: 3,
      removedRows: 1,
      layout: { ...layoutOf(SPEC), forms: ['text'] },
    });
    expect([piece.keyColumns, piece.valueColumns]).toEqual([keys, values]);
    const read = piece.read();
    const { k0, c0, c1, c2 } = read.entries.columns as never as {
      k0: BytesColumn;
      c0: Uint8Array;
      c1: BigInt64Array;
      c2: { next(): unknown };
    };
    expect([...k0.lengths]).toEqual([2, 0, 5]);
    expect(new TextDecoder().decode(k0.bytes)).toBe('äthree');
    expect([...c0]).toEqual([250, 251, 252]);
    expect(c1[2]).toBe(-(2n ** 63n) + 2n);
    expect([c2.next(), c2.next(), c2.next()]).toEqual([[0], [1], [2]]);
    expect(new TextDecoder().decode((read.removed.columns.k0 as BytesColumn).bytes)).toBe('gone');
  });

  it('are known from other bytes, and refused in other versions', () => {
    const head = { keyGroup: 0, isChanges: false, isMore: false, hasStamps: false };
    const bytes = writePiece(head, encodeLayout(SPEC), null, null);
    expect([bytes, bytes.subarray(1), bytes.subarray(0, 3)].map(isTablePiece)).toEqual([
      true,
      false,
      false,
    ]);
    expect(new EntryPiece(bytes).read().entries).toEqual({ rows: 0, columns: {} });
    const newer = bytes.slice();
    newer[4]++;
    new DataView(newer.buffer).setUint32(newer.length - 4, crc32(newer.subarray(0, -4)), true);
    expect(() => new EntryPiece(newer)).toThrow(
      expect.objectContaining({ code: 'STATE_CORRUPT', message: expect.stringMatching(/version/) }),
    );
  });
});
