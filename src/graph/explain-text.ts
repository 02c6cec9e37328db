/**
 * A plan as text for people: vertices in the order in which records pass them, each with where it
 * runs, what it does line by line, and for every edge what it carries and why the chain ends there.
 * Fits 100 columns. Callers: the api, the command line (which appends generated code on request).
 * Runs on: any thread; pure.
 */
import { shortPlace } from './error-place.js';
import type {
  ConnectorExplanation,
  OperatorExplanation,
  OutputExplanation,
  PlanExplanation,
  VertexExplanation,
} from './explain.js';
import { explainPlan } from './explain.js';
import type { ValueFilter } from '../record/value-filter.js';
import type { PhysicalPlan } from './physical-plan.js';

const COLUMNS = 100;
/** Width of the word that opens a line of a vertex. */
const LABEL_WIDTH = 12;
/** Columns a line may fall short so that it ends at a comma. */
const RAGGED_MAX = 40;
const INDENT = ' '.repeat(4);

/** The text of a plan, without a newline at its end. */
export function explainText(plan: PhysicalPlan): string {
  const explained = explainPlan(plan);
  const blocks = [headLines(explained), ...explained.vertices.map(vertexLines)];
  if (explained.warnings.length > 0) {
    blocks.push(explained.warnings.flatMap((warning) => labelled('', 'warning', warning)));
  }
  return blocks.map((lines) => lines.join('\n')).join('\n\n');
}

function headLines(plan: PlanExplanation): string[] {
  const vertices = counted(plan.vertices.length, 'vertex', 'vertices');
  const limits = plan.guaranteeLimitedBy;
  const because = limits.length === 0 ? '' : `, limited by ${limits.join(', ')}`;
  return [
    ...labelled('', 'job', `${plan.job}: ${vertices} in ${counted(plan.slots, 'slot', 'slots')}`),
    ...labelled('', 'guarantee', plan.guarantee + because),
    ...regionLines(plan),
    ...labelled('', 'plan', plan.hash),
  ];
}

/** Nothing is said of one, which is nearly every job. */
function regionLines({ vertices }: PlanExplanation): string[] {
  const texts: string[] = [];
  for (const { id, region } of vertices) {
    texts[region] = region in texts ? `${texts[region]} [${id}]` : `[${id}]`;
  }
  if (texts.length < 2) return [];
  const all = `${texts.length}, each of which a failure restarts by itself: ${texts.join('; ')}`;
  return labelled('', 'regions', all);
}

/** A line of a vertex: the word that opens it, and the rest. */
type Entry = readonly [label: string, text: string];

function vertexLines(vertex: VertexExplanation): string[] {
  const tree = branches(vertex);
  const entries: Entry[] = [
    ['runs', placeText(vertex)],
    ...(vertex.source === null ? [] : sourceEntries(vertex.source)),
    ...vertex.operators.map((operator, index) => operatorEntry(operator, index, tree)),
    ...vertex.sinks.map((sink) => sinkEntry(sink, tree)),
    ...vertex.outputs.flatMap((output) => outputEntries(output, tree)),
  ];
  const width = Math.max(LABEL_WIDTH, ...entries.map(([label]) => label.length));
  const title = wrap(`[${vertex.id}] ${vertex.name}`, INDENT);
  return [...title, ...entries.flatMap(([label, text]) => labelled(INDENT, label, text, width))];
}

/** Whether the chain is a tree, so that every line must say what feeds it. */
function branches(vertex: VertexExplanation): boolean {
  const fedBy = [
    ...vertex.operators.map((operator) => operator.input),
    ...vertex.sinks.map((sink) => sink.after),
    ...vertex.outputs.map((output) => output.after),
  ];
  return new Set(fedBy).size < fedBy.length;
}

function placeText(vertex: VertexExplanation): string {
  const subtasks = counted(vertex.parallelism, 'subtask', 'subtasks');
  if (vertex.host) return `${subtasks} on the caller's thread`;
  const first = vertex.slots[0] ?? 0;
  const last = vertex.slots[vertex.slots.length - 1] ?? first;
  const slots = first === last ? `slot ${first}` : `slots ${first}-${last}`;
  const group = vertex.slotSharingGroup;
  return `${subtasks} in ${slots}${group === 'default' ? '' : `, slot-sharing group ${group}`}`;
}

/** How much of each row a reader checks. */
const CHECKS = {
  projected: 'the framing of rows and the fields that are read (validate: projected)',
  full: 'every field of each row (validate: full)',
} as const;

function sourceEntries(source: ConnectorExplanation): Entry[] {
  const text = `${source.connector}, ${source.guarantee}${placed(source.createdAt)}`;
  const entries: Entry[] = [
    ['source', text],
    ['reads', `${columnsText(source.columns)}${rowsText(source.filter)}`],
  ];
  if (source.validate !== null) entries.push(['checks', CHECKS[source.validate]]);
  return entries;
}

/** Which rows a source gives: such as ` of rows where kind is "bid" or "person"`. */
function rowsText(filter: ValueFilter | null): string {
  if (filter === null) return '';
  const values = filter.values.map((value) => JSON.stringify(value)).join(' or ');
  return ` of rows where ${filter.column} is ${values}`;
}

function operatorEntry(operator: OperatorExplanation, index: number, tree: boolean): Entry {
  const fed = tree ? ` <- ${inputText(operator.input)}` : '';
  const phase = operator.preAggregates ? ', pre-aggregates before the exchange' : '';
  const text = `${operator.text}${phase}${placed(operator.createdAt)}`;
  return [`${index + 1} ${operator.kind}${fed}`, text];
}

function sinkEntry(sink: ConnectorExplanation, tree: boolean): Entry {
  const fed = tree ? ` <- ${inputText(sink.after)}` : '';
  return [`sink${fed}`, `${sink.connector}, ${sink.guarantee}${placed(sink.createdAt)}`];
}

function outputEntries(output: OutputExplanation, tree: boolean): Entry[] {
  const fed = tree ? ` <- ${inputText(output.after)}` : '';
  return [
    [
      `to [${output.to}]${fed}`,
      `${sideText(output)}${output.partitioner}; carries ${columnsText(output.columns)}`,
    ],
    ['', output.chainBreak],
  ];
}

/** Said of the second side of an operator only: most have one. */
function sideText(output: OutputExplanation): string {
  return output.side === 1 ? 'second side, ' : '';
}

/** Names of columns; the engine's own ones, which carry accumulators, are only counted. */
function columnsText(columns: readonly string[] | null): string {
  if (columns === null) return 'all columns';
  if (columns.length === 0) return 'no columns, only the number of records';
  const names = columns.filter((name) => !isAccumulator(name));
  const accumulators = columns.length - names.length;
  const listed = names.length === 0 ? [] : [`columns ${names.join(', ')}`];
  if (accumulators > 0) listed.push(counted(accumulators, 'accumulator', 'accumulators'));
  return listed.join(' and ');
}

function isAccumulator(name: string): boolean {
  return /^\$\d/.test(name);
}

function inputText(index: number): string {
  return index < 0 ? 'input' : String(index + 1);
}

function placed(createdAt: string | null): string {
  const place = shortPlace(createdAt);
  return place === null ? '' : `  (${place})`;
}

/** A line that opens with a label; what does not fit goes on below the text. */
function labelled(indent: string, label: string, text: string, width = LABEL_WIDTH): string[] {
  const head = `${indent}${label.padEnd(width)} `;
  return wrap(head + text, ' '.repeat(head.length));
}

/**
 * Breaks a line at spaces so that it fits; a word that is too long for a line is cut into lines.
 */
function wrap(line: string, indent: string): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > COLUMNS) {
    const comma = rest.lastIndexOf(', ', COLUMNS - 1) + 1;
    const space = comma > COLUMNS - RAGGED_MAX ? comma : rest.lastIndexOf(' ', COLUMNS);
    const isUseful = space > indent.length && rest.slice(0, space).trim() !== '';
    const end = isUseful ? space : COLUMNS;
    lines.push(rest.slice(0, end).trimEnd());
    rest = indent + rest.slice(end).trimStart();
  }
  lines.push(rest.trimEnd());
  return lines;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
