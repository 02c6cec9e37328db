/**
 * Values of a state on their way from a piece into its table, made values of the type that it is declared with now.
 * Callers: `table-snapshot.ts`. Runs on: worker. Invariant: values of the type are handed on as they are, without being
 * looked at.
 */
import { MillraceError } from '../base/errors.js';
import { decodeText, encodeText, textKindOf } from '../record/text.js';
import type { EntryColumns, TableColumn } from './contract.js';
import { BytesColumn, fixedColumn, isFixed, ValuesReader } from './entry-block.js';
import type { PieceColumn, PieceColumns } from './entry-piece.js';
import {
  compatibility,
  type EvolvingState,
  incompatibleState,
  present,
} from './state-evolution.js';

/** The state that the first column of a table holds the values of. */
export interface EvolvingColumn {
  readonly uid: string;
  readonly state: EvolvingState;
  /** Whether it is a list that keeps elements on the heap by the chunk. */
  readonly isChunked: boolean;
  /** As the table has it. */
  readonly column: TableColumn;
  /** Throws for what may not be written there. */
  readonly check: (value: unknown) => void;
}

/** What makes entries that were written under a column fit; null when they do. Throws STATE_INCOMPATIBLE. */
export function migrationOf(
  written: TableColumn,
  evolving: EvolvingColumn,
): ((entries: PieceColumns) => EntryColumns) | null {
  const found = compatibility(written, evolving.state, evolving.isChunked);
  if (found.kind === 'asIs') return null;
  if (found.kind === 'incompatible') {
    throw incompatibleState(evolving.uid, evolving.state, written, found);
  }
  const convert = (value: unknown): unknown => converted(evolving, found.convert, value);
  return ({ rows, columns }) => {
    if (rows === 0) return { rows, columns };
    const read = readerOf(columns['c0'], written.form);
    const c0 = columnOf(evolving.column.form, rows, (row) => convert(read(row)));
    return { rows, columns: { ...columns, c0 } };
  };
}

function converted(
  { uid, state, check }: EvolvingColumn,
  convert: (value: unknown) => unknown,
  value: unknown,
): unknown {
  try {
    const made = present(convert(value));
    check(made);
    return made;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MillraceError(
      'STATE_INCOMPATIBLE',
      `A value of state ${JSON.stringify(state.name)} could not be migrated: ${reason}`,
      {
        where: { uid },
        advice: 'Have migrate(value) give a value of the declared type for every older one.',
        cause: error,
      },
    );
  }
}

/** The values of a column, in order. */
function readerOf(
  column: PieceColumn | undefined,
  form: TableColumn['form'],
): (row: number) => unknown {
  return (row) => {
    if (column instanceof ValuesReader) return column.next();
    if (column instanceof BytesColumn) {
      const bytes = column.next();
      return decodeText(bytes, 0, bytes.length, textKindOf(bytes, 0, bytes.length));
    }
    const value: unknown = Reflect.get(column ?? [], row);
    return form === 'u8' ? value === 1 : value;
  };
}

/** A column of values, of which those on the heap are made when they are asked for. */
function columnOf(
  form: TableColumn['form'],
  rows: number,
  valueAt: (row: number) => unknown,
): unknown {
  if (isFixed(form)) {
    const column = fixedColumn(form, rows);
    for (let row = 0; row < rows; row++) {
      const value = valueAt(row);
      column[row] = (typeof value === 'boolean' ? Number(value) : value) as never;
    }
    return column;
  }
  if (form === 'utf8') {
    const column = new BytesColumn();
    for (let row = 0; row < rows; row++) {
      const bytes = encodeText(String(valueAt(row)));
      column.add(bytes, 0, bytes.length);
    }
    column.reset();
    return column;
  }
  let row = 0;
  return { next: () => valueAt(row++) };
}
