/**
 * The chain compiler: turns the operators behind one place of a chain into one generated function, in
 * data-centric style: every operator contributes the code that consumes a row. Three kinds of function come out:
 * over the rows of an input batch, over pending records of an operator, and over entries of its state. Callers:
 * the chain task. Runs on: worker. Invariant: each output is written by one loop at most at a time, because the
 * items of a flatMap are worked off by a function of their own.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import type { Batch } from '../record/batch.js';
import type { Schema } from '../record/schema.js';
import { schemaName } from '../record/schema.js';
import { batchRow } from './batch-row.js';
import type { ChainCode, MisfitCode, Placed, RowRoom, RowsAhead } from './chain-code.js';
import type { FlowRow, RowMarks } from './flow-row.js';
import type { ChainRun } from './chain-run.js';
import { turnOf } from './chain-turn.js';
import type { CodeBlock } from './code-block.js';
import { CodeUnit } from './code-unit.js';
import { computeKeyFragment, keyedCode } from './fragments/compute-key.js';
import { flatMapFragment } from './fragments/flat-map.js';
import { filterFragment, mapFragment } from './fragments/map.js';
import { outputFragment } from './fragments/output.js';
import { isBrief } from './lambda-brevity.js';
import { functionSource } from './lambda-fields.js';
import { ObjectRow } from './object-row.js';
import type { InputSide } from './operator-sides.js';
import type { UserFunction } from './operator-spec.js';
import { holdMisfit, recordCode } from './record-code.js';

/** A generated loop over rows `from` to `to` of a batch: gives the first row it has not consumed. */
export type RowsFunction = (batch: Batch, from: number, to: number) => number;
/** A generated loop over what is pending or in state: gives 0 when all is done. */
export type DrainFunction = () => number;

/** A generated function and its text. */
export interface Generated<F> {
  readonly run: F;
  readonly code: string;
}

/** Generates the functions of one chain. */
export class ChainCompiler implements ChainCode {
  readonly unit = new CodeUnit();
  readonly run: ChainRun;
  readonly schemas: ReadonlyMap<number, Schema | null>;
  room: RowRoom | null = null;
  ahead: RowsAhead | null = null;
  kept: string | null = null;
  /** The local that counts the rows of a loop over them; null in other functions. */
  #position: string | null = null;
  /** Lengths of the texts of functions that are over in a moment, by the names that the code has for them. */
  readonly #brief = new Map<string, number>();
  readonly #file: string;
  readonly #control: string;
  side: InputSide = 0;
  /** What happens to records of the operator whose pending records the function works off. */
  #ownMisfit: { readonly index: number; readonly code: MisfitCode } | null = null;

  constructor(run: ChainRun, schemas: ReadonlyMap<number, Schema | null>) {
    this.run = run;
    this.schemas = schemas;
    this.#file = `millrace:chain/${run.options.vertexName}`;
    this.#control = this.unit.constant(run.options.control, 'control');
    this.unit.atStart('let stop = 0;');
  }

  /** The loop over the rows of batches of an input. */
  rows(input: number, batch: Batch): Generated<RowsFunction> {
    const { unit } = this;
    this.side = this.run.options.inputSides?.[input] ?? 0;
    const marks: RowMarks = {
      time: batch.times === null ? null : `${unit.hoist('batch.times', 'times')}[row]`,
      kind: batch.kinds === null ? null : `${unit.hoist('batch.kinds', 'kinds')}[row]`,
    };
    unit.body.comment(`Rows of input ${input}: ${schemaName(batch.schema)}`);
    const selection = batch.selection ?? null;
    // Without a selection the number of a row is its position.
    const at = selection === null ? 'row' : unit.fresh('position');
    this.#position = at;
    // Telling V8 that these are integers keeps it from boxing and checking them in the loop.
    unit.body.line('let row = from | 0;');
    if (selection !== null) unit.body.line(`let ${at} = from | 0;`);
    unit.body.line('let end = to | 0;');
    const attempt = unit.body.open('try');
    const head = attempt.place();
    const inside = attempt.indented();
    const bound = inside.place();
    const ahead = inside.place();
    const turns = inside.place();
    const loop = inside.open(`for (; ${at} < end; ${at}++)`);
    const numbers = selection === null ? null : unit.hoist('batch.selection', 'selection');
    if (numbers !== null) loop.line(`row = ${numbers}[${at}];`);
    this.ahead = { place: ahead, position: at, selection: numbers };
    const room = { limits: [], behind: inside.place() };
    this.room = room;
    this.next(-1, batchRow(unit, batch.schema, marks), loop);
    const turnRows = this.#joinRows(loop, turns, at);
    this.#boundLoop(room, turnRows, head, bound, attempt.place());
    this.#catch();
    return this.#finish(`rows${input}`, 'batch, from, to', at);
  }

  /** Several rows in each turn of the loop, where that pays; gives how many. */
  #joinRows(row: CodeBlock, place: CodeBlock, at: string): number {
    const { rows, mayStop } = turnOf(row.print(), this.#brief);
    if (rows === 1) return rows;
    const last = this.unit.fresh('last');
    // No sums that could overflow: V8 would check each of them.
    const next = `${at} = (${at} + 1) | 0`;
    place.line(`const ${last} = (end - ${rows - 1}) | 0;`);
    const turn = place.open(`for (; ${at} < ${last}; ${next})`);
    for (let count = 0; count < rows; count++) {
      if (count > 0) turn.line(`${next};`);
      turn.line('{');
      turn.repeat(row);
      turn.line('}');
      if (mayStop) turn.line(`if (stop !== 0) { ${next}; break; }`);
    }
    return rows;
  }

  /** Puts the loop over rows into one over what outputs have room for: whole turns, but for the last rows. */
  #boundLoop(
    room: RowRoom,
    turnRows: number,
    head: CodeBlock,
    bound: CodeBlock,
    tail: CodeBlock,
  ): void {
    const at = this.#position;
    head.line(room.limits.length === 0 ? '{' : `while (${at} < to && stop === 0) {`);
    tail.line('}');
    if (room.limits.length === 0) return;
    const limits = room.limits.map((limit) => `${at} + (${limit})`);
    bound.line(`end = Math.min(to, ${limits.join(', ')}) | 0;`);
    if (turnRows === 1) return;
    const isLong = `end < to && end - ${at} >= ${turnRows}`;
    bound.line(`if (${isLong}) end = (end - ((end - ${at}) % ${turnRows})) | 0;`);
  }

  /** The loop over the pending records of an operator. */
  pending(index: number): Generated<DrainFunction> {
    const { unit, run } = this;
    const { spec } = run.tree.operators[index];
    if (spec.kind === 'explode') return this.rest(index, 0);
    const pending = unit.constant(run.pending[index], `pending${index}`);
    const chain = unit.constant(run, 'run');
    const isFlat = spec.kind === 'flatMap';
    unit.body.comment(`Records of ${JSON.stringify(spec.name)} that wait to be handed on`);
    unit.body.line(`let list = ${pending}.list;`);
    unit.body.line(`let index = ${pending}.index;`);
    unit.body.line('let row = -1;');
    const attempt = unit.body.open('try');
    const loop = attempt.open('while (stop === 0)');
    const end = loop.open(`if (index >= ${isFlat ? 'list.length' : `${pending}.count`})`);
    this.enter(index, end);
    end.line(`const isMore = ${pending}.${isFlat ? 'refill' : 'release'}();`);
    end.line(`list = ${pending}.list;`);
    end.line('index = 0;');
    end.line('if (!isMore) break;');
    loop.line(`if (${chain}.itemsLeft <= 0) { stop = 1; break; }`);
    loop.line(`${chain}.itemsLeft--;`);
    loop.line('const record = list[index];');
    const at = isFlat ? '' : 's[index]';
    loop.line(`const time = ${pending}.time${at};`);
    loop.line(`const kind = ${pending}.kind${at};`);
    loop.line(`row = ${pending}.row${at};`);
    if (!isFlat) loop.line(`const key = ${pending}.keys[index];`);
    loop.line('index++;');
    this.#pendingRecord(index, pending, { time: 'time', kind: 'kind' }, loop);
    this.#catch();
    unit.atEnd(`${pending}.list = list;`);
    unit.atEnd(`${pending}.index = index;`);
    return this.#finish(`pending${index}_records`, '', 'stop');
  }

  /** The loop over what a row gives, from where it was interrupted: items of an explode, pairs of a join's side. */
  rest(index: number, side: InputSide): Generated<DrainFunction> {
    const { unit, run } = this;
    const { spec } = run.tree.operators[index];
    unit.body.comment(`What waits of a row of ${JSON.stringify(spec.name)}`);
    unit.body.line('let row = -1;');
    const place = unit.body.open('try');
    const { explodeRestFragment, joinRestFragment } = run.stateful;
    if (spec.kind === 'explode') explodeRestFragment(this, { index, spec }, place);
    else if (spec.kind === 'join') joinRestFragment(this, { index, spec }, side, place);
    this.#catch();
    return this.#finish(`row${index}_rest`, '', 'stop');
  }

  #pendingRecord(index: number, pending: string, marks: RowMarks, loop: CodeBlock): void {
    const { spec } = this.run.tree.operators[index];
    const misfit: MisfitCode = (place) => {
      place.comment('The record stays, for the schema to be widened.');
      place.line('index--;');
      place.line(`${pending}.isMisfit = true;`);
      place.line('stop = 1;');
    };
    if (spec.kind !== 'computeKey') {
      if (spec.kind === 'flatMap' || spec.kind === 'process') {
        const errors = this.unit.constant(this.run.errors, 'errors');
        loop.line(`if (record === undefined) throw ${errors}.undefinedRecord(${index});`);
      }
      this.#ownMisfit = { index, code: misfit };
      this.nextRecord(index, 'record', marks, loop);
      return;
    }
    // The record was made from columns of the schema, so it needs no check; only the type of the key may be new.
    const schema = this.run.heldInputs[index];
    assert(schema !== null, 'The schema of records with computed keys is known.');
    const fetches = loop.place();
    const row = new ObjectRow(this.unit, schema, 'record', marks, fetches);
    keyedCode(this, index, row, 'key', loop, misfit);
  }

  /** The loop over the records of a sort, or the entries of an operator's state that are taken out for emission. */
  entries(index: number): Generated<DrainFunction> {
    const { unit, run } = this;
    const { spec } = run.tree.operators[index];
    if (spec.kind === 'sort') return this.#sorted({ index, spec });
    const keyed = run.keyed[index];
    assert(keyed !== null, 'Entries belong to a keyed operator.');
    const state = unit.constant(keyed, `keyed${index}`);
    unit.body.comment(`Entries of ${JSON.stringify(spec.name)}`);
    const at = unit.register(`${state}.at`, 'next');
    const limit = unit.hoist(`${state}.limit`, 'limit');
    const ids = unit.hoist(`${state}.ids`, 'ids');
    unit.body.line('const row = -1;');
    const attempt = unit.body.open('try');
    const loop = attempt.open(`while (stop === 0 && ${at} < ${limit})`);
    loop.line(`const entry = ${ids}[${at}++];`);
    const { aggregateEntryFragment, reduceEntryFragment, topEntryFragment } = run.stateful;
    if (spec.kind === 'aggregate') aggregateEntryFragment(this, { index, spec }, 'entry', loop);
    else if (spec.kind === 'reduce') reduceEntryFragment(this, { index, spec }, 'entry', loop);
    else if (spec.kind === 'top') {
      topEntryFragment(this, { index, spec }, 'entry', `${at}--`, loop);
    }
    if (keyed.removesEmitted) {
      loop.line(`${unit.constant(keyed.mainTable(), 'table')}.remove(entry);`);
    }
    this.#catch();
    return this.#finish(`entries${index}`, '', 'stop');
  }

  /** The loop that takes rows which the head of the chain had put aside as input again. */
  partition(index: number): Generated<DrainFunction> {
    const { unit, run } = this;
    const overflow = run.keyed[index]?.overflow ?? null;
    assert(overflow !== null, 'Rows have been put aside.');
    unit.body.comment('Rows that were put aside');
    unit.body.line('let row = -1;');
    const state = unit.constant(overflow, `overflow${index}`);
    const take = (row: FlowRow, place: CodeBlock): void => this.#operator(index, row, place);
    run.stateful.eachRowCode(unit, state, overflow.layouts, take, unit.body.open('try'));
    this.#catch();
    return this.#finish(`partition${index}`, '', 'stop');
  }

  #sorted(placed: Placed<'sort'>): Generated<DrainFunction> {
    const { unit } = this;
    unit.body.comment(`Records of ${JSON.stringify(placed.spec.name)} in order`);
    unit.body.line('const row = -1;');
    this.run.sorting.sortedFragment(this, placed, unit.body.open('try'));
    this.#catch();
    return this.#finish(`sorted${placed.index}`, '', 'stop');
  }

  next(index: number, row: FlowRow, place: CodeBlock): void {
    for (const output of this.run.tree.outputsAfter(index)) {
      outputFragment(this, output, row, place);
    }
    for (const child of this.run.tree.childrenOf(index)) this.#operator(child, row, place);
  }

  nextRecord(index: number, record: string, marks: RowMarks, place: CodeBlock): void {
    const own = this.#ownMisfit;
    recordCode(this, index, record, marks, place, this.#misfitCode(index, record, marks, own));
  }

  #misfitCode(
    index: number,
    record: string,
    marks: RowMarks,
    own: { readonly index: number; readonly code: MisfitCode } | null,
  ): MisfitCode {
    return own?.index === index ? own.code : holdMisfit(this, index, record, 'undefined', marks);
  }

  enter(index: number, place: CodeBlock): void {
    place.line(`${this.#control}[0] = ${index};`);
  }

  callUser(index: number, fn: UserFunction, record: string, place: CodeBlock): string {
    const { unit } = this;
    const { kind } = this.run.tree.operators[index].spec;
    const result = unit.fresh(kind === 'map' ? 'mapped' : kind === 'filter' ? 'passes' : 'key');
    const call = `${unit.constant(fn, `${kind}${index}`)}(${record})`;
    if (!isBrief(fn)) {
      this.enter(index, place);
      place.line(`const ${result} = ${call};`);
      return result;
    }
    this.#brief.set(unit.constant(fn, `${kind}${index}`), functionSource(fn).length);
    // A handler costs nothing until it is needed, other than saying in every row which function runs.
    const errors = unit.constant(this.run.errors, 'errors');
    place.line(`let ${result};`);
    place.line(`try { ${result} = ${call}; }`);
    place.line(`catch (error) { throw ${errors}.failed(error, ${index}, row); }`);
    return result;
  }

  severalPerRow(generate: () => void): void {
    const { room } = this;
    this.room = null;
    generate();
    this.room = room;
  }

  countingOnly(kept: string, generate: () => void): void {
    const outer = this.kept;
    this.kept = kept;
    generate();
    this.kept = outer;
  }

  stop(place: CodeBlock): void {
    place.line('stop = 1;');
    if (this.#position !== null) place.line(`end = ${this.#position};`);
  }

  #operator(index: number, row: FlowRow, place: CodeBlock): void {
    const { spec } = this.run.tree.operators[index];
    place.comment(`${spec.kind} ${JSON.stringify(spec.name)}`);
    try {
      this.#fragment(index, row, place);
    } catch (error) {
      // What the user got wrong, such as the name of a field, comes out here; the innermost operator names it.
      throw MillraceError.is(error) ? this.run.errors.failed(error, index, -1) : error;
    }
  }

  #fragment(index: number, row: FlowRow, place: CodeBlock): void {
    const { run } = this;
    const { spec } = run.tree.operators[index];
    assert(spec.kind !== 'sideOutput', 'A side output is given records by its function only.');
    switch (spec.kind) {
      case 'map':
        return mapFragment(this, { index, spec }, row, place);
      case 'filter':
        return filterFragment(this, { index, spec }, row, place);
      case 'where':
        return run.computing.whereFragment(this, { index, spec }, row, place);
      case 'flatMap':
        return flatMapFragment(this, { index, spec }, row, place);
      case 'process':
        return run.stateful.processFragment(this, { index, spec }, row, place);
      case 'join':
        return run.stateful.joinFragment(this, { index, spec }, row, place);
      case 'asyncWait':
        return run.stateful.asyncWaitFragment(this, { index, spec }, row, place);
      case 'select':
        return run.computing.selectFragment(this, { index, spec }, row, place);
      case 'explode':
        return run.stateful.explodeFragment(this, { index, spec }, row, place);
      case 'assignTimestamps':
        return run.computing.assignTimestampsFragment(this, { index, spec }, row, place);
      case 'computeKey':
        return computeKeyFragment(this, { index, spec }, row, place);
      case 'aggregate':
        return run.stateful.aggregateFragment(this, { index, spec }, row, place);
      case 'reduce':
        return run.stateful.reduceFragment(this, { index, spec }, row, place);
      case 'loop':
      case 'feedback':
        return this.next(index, row, place);
      case 'sort':
        return run.sorting.sortFragment(this, { index, spec }, row, place);
      case 'top':
        return run.stateful.topFragment(this, { index, spec }, row, place);
      case 'distinct':
        return run.stateful.distinctFragment(this, { index, spec }, row, place);
    }
  }

  #catch(): void {
    const { unit, run } = this;
    const errors = unit.constant(run.errors, 'errors');
    const handler = unit.body.open('catch (error)');
    handler.line(`throw ${errors}.failed(error, ${this.#control}[0], row);`);
  }

  #finish<F>(name: string, parameters: string, result: string): Generated<F> {
    this.unit.atEnd(`${this.#control}[0] = -1;`);
    const code = this.unit.print(name, parameters, result);
    return { run: this.unit.compile(code, this.#file) as F, code };
  }
}
