import { describe, expect, it } from 'vitest';
import { PAGE_SHIFT, type TableSpec } from '../../../src/state/contract.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { layoutOf, mergeSpecs, moveEntries, takesLayout } from '../../../src/state/table-layout.js';
import { loadTable } from '../../../src/state/table-snapshot.js';
import { TableDriver } from '../../contract/state-table-model.js';
import { piecesOf } from './state-fixtures.js';

const keyGroups = { start: 0, end: 4 };

function specOf(first: TableSpec['columns'][number]['form'], second: typeof first): TableSpec {
  const columns = [
    { name: 'first', form: first },
    { name: 'second', form: second },
  ];
  return { name: 's', keys: [{ kind: 'utf8' }], columns, ttlMs: null };
}

const KEYS = ['', 'a', 'two', 'a key beyond the short ones'];
/** What an entry holds in a column that nobody wrote. */
const ZEROS = { f64: 0, i32: 0, u8: 0, i64: 0n, utf8: '', js: undefined } as const;

describe('layouts of tables', () => {
  it('merge to one that knows the form of every column either knows', () => {
    expect(mergeSpecs(specOf('none', 'f64'), specOf('utf8', 'none'))).toEqual(
      specOf('utf8', 'f64'),
    );
    expect(mergeSpecs(specOf('none', 'f64'), specOf('none', 'i64'))).toBe(null);
    const nothing: TableSpec = { ...specOf('f64', 'f64'), keys: [{ kind: 'null' }] };
    expect(mergeSpecs(nothing, specOf('f64', 'none'))).toEqual(specOf('f64', 'f64'));
  });

  it('take what was written before a form was known, and never the other way round', () => {
    expect(takesLayout(layoutOf(specOf('none', 'f64')), specOf('js', 'f64'))).toBe(true);
    expect(takesLayout(layoutOf(specOf('js', 'f64')), specOf('none', 'f64'))).toBe(false);
    expect(takesLayout(layoutOf(specOf('i64', 'f64')), specOf('f64', 'f64'))).toBe(false);
  });

  for (const form of ['f64', 'i32', 'u8', 'i64', 'utf8', 'js'] as const) {
    it(`give an unknown column its form ${form}, in place and by a snapshot`, () => {
      const from = createHotTable(specOf('none', 'f64'), { keyGroups });
      const driver = new TableDriver(from, keyGroups.end);
      for (const [index, key] of KEYS.entries()) {
        driver.write(driver.upsert([key]), [undefined, index + 0.5], PAGE_SHIFT);
      }
      // One that no snapshot holds, and one that a snapshot does.
      from.remove(driver.find([KEYS[1]]));
      const frozen = from.freeze();
      from.drain(100, true, () => {});
      from.confirm(frozen);
      from.remove(driver.find([KEYS[2]]));
      const moved = createHotTable(specOf(form, 'f64'), { keyGroups });
      const loaded = createHotTable(specOf(form, 'f64'), { keyGroups });
      loadTable(loaded, piecesOf(from));
      moveEntries(from, moved);
      for (const table of [moved, loaded]) {
        const entries = [0, 1, 2, 3].flatMap((group) => [...table.entriesOf(group)]);
        const rows = entries.map(({ key, values }) => [key[0], values]);
        expect(rows.toSorted()).toEqual(
          KEYS.flatMap((key, index) =>
            index === 1 || index === 2 ? [] : [[key, [ZEROS[form], index + 0.5]]],
          ).toSorted(),
        );
      }
      expect(from.entries).toBe(0);
      const changed: unknown[] = [];
      moved.freeze();
      moved.drain(100, false, ({ key, values }) => changed.push([key[0], values !== null]));
      expect(changed.toSorted()).toEqual(
        [
          [KEYS[0], true],
          [KEYS[2], false],
          [KEYS[3], true],
        ].toSorted(),
      );
    });
  }
});
