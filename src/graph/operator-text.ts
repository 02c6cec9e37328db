/**
 * What an operator does, in one line for explain. Callers: `explain.ts`. Runs on: any thread; pure.
 */
import { formatDuration } from '../base/units.js';
import { expressionText } from '../operator/expression-text.js';
import type {
  AggregateSpec,
  OperatorSpec,
  TimestampOrigin,
  WindowSpec,
} from '../operator/operator-spec.js';
import type { WatermarkStrategy } from '../time/watermark-strategy.js';
import type { WindowGrid } from '../time/window-arithmetic.js';
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
    case 'top':
      return topText(spec);
    case 'assignTimestamps':
      return timestampsText(spec);
    case 'process':
      return processText(spec);
    case 'join':
      return joinText(spec);
    case 'asyncWait':
      return asyncWaitText(spec);
    case 'sideOutput':
      return `records given to ${JSON.stringify(spec.tag)}`;
    case 'loop':
      return spec.maxIterations === null
        ? 'loop until nothing is fed back'
        : `loop of at most ${spec.maxIterations} iterations`;
    case 'feedback':
      return `back to ${JSON.stringify(spec.loop)}`;
    case 'sort':
      return sortText(spec);
    case 'distinct':
      return `first record ${byKeys(spec.keys)}`;
  }
}

/** Such as `first 10 by auction in order of price descending, ranked as place, once per key`. */
function topText(spec: Extract<OperatorSpec, { kind: 'top' }>): string {
  const order = spec.order.map(
    ({ name, descending }) => `${name}${descending ? ' descending' : ''}`,
  );
  const parts = [`first ${spec.rows} ${byKeys(spec.keys)} in order of ${order.join(', ')}`];
  if (spec.newestFirst) parts.push('the newest of equal ones first');
  if (spec.rank !== null) parts.push(`ranked as ${spec.rank}`);
  return `${parts.join(', ')}, ${emitText(spec.emit)}`;
}

/** Such as `sorted by price descending, id` or `by user, each sorted by at`. */
function sortText({ keys, order }: Extract<OperatorSpec, { kind: 'sort' }>): string {
  const names = order.map(
    ({ by, descending }) => `${expressionText(by)}${descending ? ' descending' : ''}`,
  );
  const within = keys.length === 0 ? '' : `${byKeys(keys)}, each `;
  return `${within}sorted by ${names.join(', ')}`;
}

function processText({
  keys,
  open,
  about,
  of,
  aggregation,
}: Extract<OperatorSpec, { kind: 'process' }>): string {
  const sides = keys.map((names) => (names === null ? 'without a key' : byKeys(names)));
  const what = about ?? (of === undefined ? functionText(open) : partsText(of));
  const all = aggregation?.aggregates.map(aggregateColumnText).join(', ');
  return [sides.join(' and '), what, ...(all === undefined ? [] : [all])].join(': ');
}

/** Such as `by id and by order: join inner, select of the first id, of the second paid = amount`. */
function joinText({ keys, columns, apply }: Extract<OperatorSpec, { kind: 'join' }>): string {
  const ofSide = (side: number): string =>
    (columns ?? [])
      .filter((column) => column.side === side)
      .map(({ as, name }) => (as === name ? as : `${as} = ${name}`))
      .join(', ');
  const results =
    apply === null ? { 'select of the first': ofSide(0), 'of the second': ofSide(1) } : { apply };
  return `${keys.map(byKeys).join(' and ')}: ${partsText({ join: 'inner', ...results })}`;
}

/** Such as `at most 100 at a time, within 3 m 0 s, 2 repetitions: (o) => fetchRate(o)`. */
function asyncWaitText(spec: Extract<OperatorSpec, { kind: 'asyncWait' }>): string {
  const { order, capacity, timeoutMs, retry, functions } = spec;
  const parts = [order, `at most ${capacity} at a time`];
  if (timeoutMs !== null) parts.push(`each within ${formatDuration(timeoutMs)}`);
  if (retry !== null) parts.push(`repeated up to ${retry.maxAttempts} times`);
  return `${parts.join(', ')}: ${partsText(partsOf(functions))}`;
}

function partsOf(
  functions: Extract<OperatorSpec, { kind: 'asyncWait' }>['functions'],
): Readonly<Record<string, unknown>> {
  if (typeof functions === 'function') return {};
  if ('of' in functions) return functions.of;
  const { verb: _, ...named } = functions;
  return named;
}

/** What a function of the engine was made of, such as `join left, apply (a, b) => ({ ...a, ...b })`. */
function partsText(parts: Readonly<Record<string, unknown>>): string {
  const named = Object.entries(parts).filter(([, part]) => part !== null && part !== false);
  return named.map(([name, part]) => `${name} ${partText(part)}`).join(', ');
}

function partText(part: unknown): string {
  return typeof part === 'function' ? functionText(part as () => unknown) : String(part);
}

function timestampsText({
  timestamp,
  watermarks,
}: Extract<OperatorSpec, { kind: 'assignTimestamps' }>): string {
  const parts = [`event time = ${originText(timestamp)}`, generationText(watermarks.generation)];
  const { idleTimeoutMs, alignment } = watermarks;
  if (idleTimeoutMs !== null) parts.push(`idle after ${formatDuration(idleTimeoutMs)}`);
  if (alignment !== null) {
    const drift = formatDuration(alignment.maxDriftMs);
    parts.push(`at most ${drift} ahead of group ${JSON.stringify(alignment.group)}`);
  }
  return parts.join(', ');
}

function originText(timestamp: TimestampOrigin): string {
  switch (timestamp.from) {
    case 'expression':
      return expressionText(timestamp.expression);
    case 'function':
      return functionText(timestamp.fn);
    case 'clock':
      return 'time of arrival';
    case 'record':
      return 'as it is';
  }
}

function generationText(generation: WatermarkStrategy['generation']): string {
  switch (generation.kind) {
    case 'bounded':
      return generation.outOfOrdernessMs === 0
        ? 'ascending'
        : `out of order by at most ${formatDuration(generation.outOfOrdernessMs)}`;
    case 'punctuated':
      return `watermarks by ${functionText(generation.fn)}`;
    case 'custom':
      return 'watermarks by a generator of its own';
    case 'none':
      return 'no watermarks';
  }
}

function aggregateText(spec: Extract<OperatorSpec, { kind: 'aggregate' }>): string {
  const all = spec.aggregates.map(aggregateColumnText).join(', ');
  const keys = spec.keys.length === 0 ? 'all records' : byKeys(spec.keys);
  const within = spec.window === null ? keys : `${keys}, ${windowText(spec.window)}`;
  if (spec.phase === 'partial') return `${within}: partial ${all}`;
  const merged = spec.phase === 'merge' ? 'merged ' : '';
  if (spec.window !== null) return `${within}: ${merged}${all}`;
  return `${byKeys(spec.keys)}: ${merged}${all}, ${emitText(spec.emit)}`;
}

function explodeText(spec: Extract<OperatorSpec, { kind: 'explode' }>): string {
  const text = columnText({ name: spec.as, value: spec.list });
  return spec.outer ? `${text}, null for none` : text;
}

function gridText({ sizeMs, slideMs, offsetMs, timeZone }: WindowGrid): string[] {
  const parts = [`windows of ${formatDuration(sizeMs)}`];
  if (slideMs !== sizeMs) parts.push(` every ${formatDuration(slideMs)}`);
  if (offsetMs !== 0) {
    parts.push(` ${offsetMs < 0 ? '-' : '+'} ${formatDuration(Math.abs(offsetMs))}`);
  }
  if (timeZone !== undefined) parts.push(` in ${timeZone}`);
  return parts;
}

/** Such as `windows of 1m every 10s`, `sessions of 30s` or `windows of 1m by the wall clock`. */
function windowText(spec: WindowSpec): string {
  const { grid, gapMs, time, firesAtEnd, allowedLatenessMs, lateTag } = spec;
  const parts = grid === undefined ? [`sessions of ${formatDuration(gapMs)}`] : gridText(grid);
  if (time === 'processing') parts.push(' by the wall clock');
  if (firesAtEnd) parts.push(', the last ones at the end of the input');
  if (allowedLatenessMs !== null) {
    parts.push(`, kept for late records ${formatDuration(allowedLatenessMs)}`);
  }
  if (lateTag !== null) parts.push(`, late records to ${JSON.stringify(lateTag)}`);
  return parts.join('');
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
