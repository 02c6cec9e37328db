/**
 * What an operator does, in one line for explain. Callers: `explain.ts`. Runs on: any thread; pure.
 */
import { expressionText } from '../operator/expression-text.js';
import type { AggregateSpec, OperatorSpec } from '../operator/operator-spec.js';
import { keysText } from './partitioner-text.js';

/** Such as `where distance > 100` or `by origin: flights = count(), worst = max(delay)`. */
export function operatorText(spec: OperatorSpec): string {
  switch (spec.kind) {
    case 'map':
    case 'filter':
    case 'flatMap':
      return functionText(spec.fn);
    case 'computeKey':
      return `key = ${functionText(spec.fn)}`;
    case 'where':
      return expressionText(spec.predicate);
    case 'select':
      return `${spec.keepsOthers ? 'with ' : ''}${spec.columns.map(columnText).join(', ')}`;
    case 'explode':
      return explodeText(spec);
    case 'aggregate':
      return aggregateText(spec);
    case 'reduce':
      return `${byKeys(spec.keys)}: ${functionText(spec.fn)}, ${emitText(spec.emit)}`;
    case 'distinct':
      return `first record ${byKeys(spec.keys)}`;
  }
}

function aggregateText(spec: Extract<OperatorSpec, { kind: 'aggregate' }>): string {
  const all = spec.aggregates.map(aggregateColumnText).join(', ');
  if (spec.phase === 'partial') return `${byKeys(spec.keys)}: partial ${all}`;
  const merged = spec.phase === 'merge' ? 'merged ' : '';
  return `${byKeys(spec.keys)}: ${merged}${all}, ${emitText(spec.emit)}`;
}

function explodeText(spec: Extract<OperatorSpec, { kind: 'explode' }>): string {
  const text = columnText({ name: spec.as, value: spec.list });
  return spec.outer ? `${text}, null for none` : text;
}

function columnText(column: Extract<OperatorSpec, { kind: 'select' }>['columns'][number]): string {
  const text = expressionText(column.value);
  return text === column.name ? text : `${column.name} = ${text}`;
}

function aggregateColumnText(aggregate: AggregateSpec): string {
  const input = aggregate.fn === 'user' || aggregate.input === null ? null : aggregate.input;
  const exact = aggregate.fn !== 'user' && aggregate.exact ? ' exactly' : '';
  const filter = aggregate.filter === null ? '' : ` where ${expressionText(aggregate.filter)}`;
  const name = aggregate.fn === 'user' ? 'aggregator' : aggregate.fn;
  const argument = input === null ? '' : expressionText(input);
  return `${aggregate.as} = ${name}(${argument})${exact}${filter}`;
}

function byKeys(keys: readonly string[]): string {
  return `by ${keysText(keys)}`;
}

function emitText(emit: 'updates' | 'final'): string {
  return emit === 'final' ? 'once per key' : 'on every update';
}

/** The source of a short function, the beginning of a long one. */
function functionText(fn: (...args: never[]) => unknown): string {
  const source = fn.toString().replace(/\s+/g, ' ');
  return source.length <= 60 ? source : `${source.slice(0, 57)}...`;
}
