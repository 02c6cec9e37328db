/**
 * Code that hands on a record which a user function returned. As long as nobody looks into it, the object just
 * moves on. Otherwise its fields are fetched and checked against the schema of the stream; a record that does not
 * fit, or that comes before there is a schema, is held for the chain task to settle. Callers: the chain compiler.
 * Runs on: worker, when a chain is compiled. Invariant: a held record has had no effect behind its operator.
 */
import type { ChainCode, MisfitCode } from './chain-code.js';
import { NO_EVENT_TIME, type RowMarks } from './flow-row.js';
import type { CodeBlock } from './code-block.js';
import { ObjectRow, OpaqueRow } from './object-row.js';

/** Code of the event time and kind of a row as numbers, and of its place in the batch. */
export function marksCode(marks: RowMarks): string {
  return `${marks.time ?? NO_EVENT_TIME}, ${marks.kind ?? '0'}, row`;
}

/** Generates the code for record `record` of operator `index`. */
export function recordCode(
  code: ChainCode,
  index: number,
  record: string,
  marks: RowMarks,
  place: CodeBlock,
  misfit: MisfitCode,
): void {
  const { run, unit } = code;
  if (!run.tree.needsFields(index)) {
    code.next(index, new OpaqueRow(record, marks), place);
    return;
  }
  const schema = run.recordSchema(index);
  if (schema === null) {
    const pending = unit.constant(run.pending[index], `pending${index}`);
    place.comment('The schema of these records is not known yet: collects some to infer it from.');
    const hold = `${pending}.hold(${record}, ${marksCode(marks)}, undefined)`;
    // What a keyed operator gives may be its state, which the next record changes; so it waits alone.
    const isState = run.tree.operators[index].spec.kind !== 'map';
    if (isState) {
      place.line(`${hold};`);
      code.stop(place);
    } else {
      code.stop(place.open(`if (${hold})`));
    }
    return;
  }
  const fetches = place.place();
  const head = place.place();
  const inside = place.indented();
  const row = new ObjectRow(unit, schema, record, marks, fetches);
  code.next(index, row, inside);
  closeChecked(place, head, row.condition(), misfit);
}

/** Writes the `if` around checked code, and what happens when the check fails. */
export function closeChecked(
  place: CodeBlock,
  head: CodeBlock,
  condition: string | null,
  misfit: MisfitCode,
): void {
  head.line(condition === null ? '{' : `if (${condition}) {`);
  if (condition !== null) {
    place.line('} else {');
    misfit(place.indented());
  }
  place.line('}');
}

/** What to do with a misfit in the middle of other code: hold it, and stop after this row. */
export function holdMisfit(
  code: ChainCode,
  index: number,
  record: string,
  key: string,
  marks: RowMarks,
): MisfitCode {
  return (place) => {
    const pending = code.unit.constant(code.run.pending[index], `pending${index}`);
    place.line(`${pending}.hold(${record}, ${marksCode(marks)}, ${key});`);
    place.line(`${pending}.isMisfit = true;`);
    code.stop(place);
  };
}
