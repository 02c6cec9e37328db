/**
 * Aggregates whose accumulator is a JavaScript value: `collect`, a list in order of arrival, and aggregators
 * written by the user. Callers: aggregate-plan.ts. Runs on: worker, when a chain is compiled; pure.
 */
import { assert } from '../base/assert.js';
import type { Slot } from '../record/schema.js';
import { type Accumulator, type Cell, presentValue } from './aggregate-accumulator.js';
import { ANY, carriedName, requiredField } from './aggregate-fields.js';
import type { CodeBlock } from './code-block.js';
import { presentValueCode } from './object-code.js';
import { addedFields } from './operator-fields.js';
import type { BuiltInAggregate, UserAggregate, UserAggregator } from './operator-spec.js';

/** The accumulator of `collect`. It has no partial phase: merging lists would lose the order of arrival. */
export function collectAccumulator(
  aggregate: BuiltInAggregate,
  index: number,
  input: Slot,
): Accumulator {
  const slot: Slot = {
    type: { kind: 'list', item: { type: input.type, nullable: false } },
    nullable: false,
  };
  const onePhase = (): never => {
    assert(false, 'collect() runs in one phase.');
  };
  const carried = [requiredField(carriedName(index, ''), slot.type)];
  return {
    columns: [{ name: aggregate.as, form: 'js' }],
    carried,
    result: slot,
    create: (cell, place) => place.line(`${cell.write(0, '[]')};`),
    add: (cell, value, _row, place) => {
      if (value === null) return;
      const list = cell.unit.fresh('list');
      place.line(`const ${list} = ${cell.read(0)};`);
      place.line(`${list}.push(${presentValueCode(cell.unit, value)});`);
      // The table measures a value when it is set; doing so at every doubling keeps its estimate near.
      const isDoubled = `(${list}.length & (${list}.length - 1)) === 0`;
      place.line(`if (${isDoubled}) ${cell.write(0, list)};`);
    },
    merge: (cell, [other], place) => {
      const item = cell.unit.fresh('item');
      place.line(`for (const ${item} of ${other.value}) ${cell.read(0)}.push(${item});`);
      place.line(`${cell.write(0, cell.read(0))};`);
    },
    resultOf: (cell) => {
      const list = cell.read(0);
      // Later rows push to the list of the entry, so what leaves is a copy.
      return { ...presentValue(slot, `${list}.slice()`), object: `${list}.slice()` };
    },
    carriedOf: (cell) => [presentValue(carried[0], cell.read(0))],
    carriedOfRow: onePhase,
  };
}

/** Adds to an accumulator; undefined from the user means that it was changed in place. */
function addByUser(aggregator: UserAggregator, accumulator: unknown, record: unknown): unknown {
  const added = aggregator.add(accumulator, record);
  return added === undefined ? accumulator : added;
}

/** Merges two accumulators, likewise. */
function mergeByUser(aggregator: UserAggregator, left: unknown, right: unknown): unknown {
  const merged = aggregator.merge?.(left, right);
  return merged === undefined ? left : merged;
}

/** A new accumulator, with one record when it counts. */
function createByUser(aggregator: UserAggregator, counts: boolean, record: unknown): unknown {
  const accumulator = aggregator.create();
  return counts ? addByUser(aggregator, accumulator, record) : accumulator;
}

/** The accumulator of an aggregator written by the user. */
export function userAccumulator(aggregate: UserAggregate, index: number): Accumulator {
  const carried = [requiredField(carriedName(index, ''), ANY, true)];
  const bound = (cell: Cell): string => cell.unit.constant(aggregate.aggregator, 'aggregator');
  const replace = (cell: Cell, code: string, place: CodeBlock): void => {
    const next = cell.unit.fresh('accumulator');
    place.line(`const ${next} = ${cell.call(code, place)};`);
    place.line(`${cell.write(0, next)};`);
  };
  return {
    columns: [{ name: aggregate.as, form: 'js' }],
    carried,
    result: null,
    create: (cell, place) => replace(cell, `${bound(cell)}.create()`, place),
    add: (cell, _value, row, place) => {
      const record = row.object(addedFields(aggregate), place);
      const add = cell.unit.constant(addByUser, 'addByUser');
      replace(cell, `${add}(${bound(cell)}, ${cell.read(0)}, ${record})`, place);
    },
    merge: (cell, [other], place) => {
      const merge = cell.unit.constant(mergeByUser, 'mergeByUser');
      const value = other.object ?? `(${other.isNull} ? null : ${other.value})`;
      replace(cell, `${merge}(${bound(cell)}, ${cell.read(0)}, ${value})`, place);
    },
    resultOf: (cell, place) => {
      const result = cell.unit.fresh('result');
      place.line(
        `const ${result} = ${cell.call(`${bound(cell)}.result(${cell.read(0)})`, place)};`,
      );
      return { ...presentValue({ type: ANY, nullable: true }, result), object: result };
    },
    carriedOf: (cell) => {
      const value = cell.read(0);
      return [{ ...presentValue(carried[0], value), object: value }];
    },
    carriedOfRow: (cell, _value, row, counts, place) => {
      const create = cell.unit.constant(createByUser, 'createByUser');
      const record = row.object(addedFields(aggregate), place);
      const lone = cell.unit.fresh('accumulator');
      const call = cell.call(`${create}(${bound(cell)}, ${counts}, ${record})`, place);
      place.line(`const ${lone} = ${call};`);
      return [{ ...presentValue(carried[0], lone), object: lone }];
    },
  };
}
