/**
 * An error as the command line shows it: code and message, the line of the user's program it comes from, where it
 * happened, what caused it, and what to do. Callers: the commands. Runs on: the main thread.
 */
import { dirname, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceError } from '../base/errors.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { entryUrl } from '../runtime/entry-url.js';
import { type CodePlace, codeFrame, placeOf, userPlaces } from './code-frame.js';
import { shortPath, withoutDirectory } from './short-path.js';
import type { Style } from './style.js';

/** What a report may use. */
export interface ErrorReportContext {
  readonly style: Style;
  /** Knows where operators were created; null before there is a plan. */
  readonly plan: PhysicalPlan | null;
  /** Paths below it are shown without it. */
  readonly directory: string;
}

const CAUSES_MAX = 4;
const FRAMES_MAX = 6;
const LABEL_WIDTH = 9;
/** An advice that only names the operator's line, which the report shows itself. */
const CREATED_AT = /\s*The operator was created at [^\n]*?:\d+(?::\d+)?\./;
const CAUSE_ADVICE = 'Look at the cause; its stack points into the function.';

/** The report, without a newline at its end. */
export function errorReport(error: unknown, context: ErrorReportContext): string {
  const { style } = context;
  const place = codePlaceOf(error, context);
  const frame = place === null ? [] : codeFrame(place, style);
  const shown = frame.length === 0 ? null : place;
  const blocks = [
    [headLine(error, context)],
    shown === null
      ? []
      : [`  ${style.cyan(placeText(shown, context))}`, ...frame.map((line) => `  ${line}`)],
    [
      ...whereLines(error, shown, context),
      ...createdLines(error, shown, context),
      ...causeLines(error, context),
      ...adviceLines(error, context),
    ],
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function headLine(error: unknown, { style, directory }: ErrorReportContext): string {
  const title = MillraceError.is(error)
    ? error.code
    : error instanceof Error
      ? error.name
      : 'Error';
  const message = error instanceof Error ? error.message : String(error);
  return `${style.red(style.bold(title))} ${withoutDirectory(message, directory)}`;
}

/**
 * The line to show: where the innermost cause was thrown in the user's program, else the line the error names, else
 * the line that created the operator.
 */
function codePlaceOf(error: unknown, context: ErrorReportContext): CodePlace | null {
  const engine = engineDirectories();
  for (const cause of causesOf(error).reverse()) {
    const syntax = syntaxPlace(cause);
    if (syntax !== null) return syntax;
    if (MillraceError.is(cause)) continue;
    const [place] = userPlaces(cause.stack ?? '', engine);
    if (place !== undefined) return place;
  }
  if (MillraceError.is(error) && !isDataPlace(error)) {
    const { file, line } = error.where;
    if (file !== undefined && line !== undefined) return { file, line, column: null };
  }
  const created = createdAtOf(error, context.plan);
  if (created !== null) return created;
  // Errors of options are thrown where the connector or operator was made.
  const isOwn = MillraceError.is(error) && error.code !== 'ASSERTION' && !isDataPlace(error);
  return isOwn ? (userPlaces(error.stack ?? '', engine)[0] ?? null) : null;
}

/** Whether file and line of an error are those of data rather than of the program. */
function isDataPlace(error: MillraceError): boolean {
  return error.where.byteOffset !== undefined || error.where.record !== undefined;
}

/** Where a module could not be parsed: Node puts it above the stack, esbuild into a list. */
function syntaxPlace(error: Error): CodePlace | null {
  const listed: unknown = Reflect.get(error, 'errors');
  if (Array.isArray(listed)) {
    const location: unknown = Reflect.get(Object(listed[0]), 'location');
    if (isLocation(location)) {
      const { file, line, column } = location;
      return { file: resolve(file), line, column: column + 1 };
    }
  }
  if (error.name !== 'SyntaxError') return null;
  const [first = ''] = (error.stack ?? '').split('\n');
  return first.startsWith('file:') || first.startsWith('/') ? placeOf(first) : null;
}

function isLocation(
  value: unknown,
): value is { readonly file: string; readonly line: number; readonly column: number } {
  if (typeof value !== 'object' || value === null) return false;
  return 'file' in value && 'line' in value && 'column' in value;
}

function whereLines(
  error: unknown,
  shown: CodePlace | null,
  context: ErrorReportContext,
): readonly string[] {
  if (!MillraceError.is(error)) return [];
  const { job, operator, uid, subtask, record, field, file, line, byteOffset } = error.where;
  const parts: string[] = [];
  if (job !== undefined) parts.push(`job ${job}`);
  if (operator !== undefined) parts.push(`operator ${operator}`);
  if (uid !== undefined && uid !== operator) parts.push(`uid ${uid}`);
  if (subtask !== undefined) parts.push(`subtask ${subtask}`);
  if (field !== undefined) parts.push(`field ${field}`);
  if (record !== undefined) parts.push(`record ${record} of its batch`);
  const lines = parts.length === 0 ? [] : [labelled('where', parts.join(', '), context)];
  if (file === undefined || (shown?.file === file && shown.line === line)) return lines;
  const place =
    line === undefined
      ? shortPath(file, context.directory)
      : `${shortPath(file, context.directory)}:${line}`;
  const byte = byteOffset === undefined ? '' : `, byte ${byteOffset}`;
  return [...lines, labelled('file', place + byte, context)];
}

/** The line that created the operator, when it is not the one shown above. */
function createdLines(
  error: unknown,
  shown: CodePlace | null,
  context: ErrorReportContext,
): readonly string[] {
  const created = createdAtOf(error, context.plan);
  if (created === null) return [];
  if (shown !== null && shown.file === created.file && shown.line === created.line) return [];
  return [labelled('created', placeText(created, context), context)];
}

function createdAtOf(error: unknown, plan: PhysicalPlan | null): CodePlace | null {
  if (!MillraceError.is(error) || plan === null) return null;
  const { uid, operator } = error.where;
  for (const vertex of plan.vertices) {
    const identities = [
      ...vertex.operators.map(({ spec }) => spec),
      ...vertex.sinks.map((sink) => sink.identity),
      ...(vertex.source === null ? [] : [vertex.source.identity]),
    ];
    const found = identities.find((one) =>
      uid === undefined ? one.name === operator : one.uid === uid,
    );
    if (found !== undefined) return found.createdAt === null ? null : placeOf(found.createdAt);
  }
  return null;
}

function causeLines(error: unknown, context: ErrorReportContext): readonly string[] {
  const [outermost, ...causes] = causesOf(error);
  // A cause whose message is part of what was said already has nothing to add, nor have lists of compilers.
  const telling = causes.filter(
    (cause) => !outermost.message.includes(cause.message) && !('errors' in cause),
  );
  return telling.flatMap((cause) => {
    const message = cause.message.split('\n')[0] ?? '';
    const head = labelled('cause', `${cause.name}: ${message}`, context);
    const places = userPlaces(cause.stack ?? '', engineDirectories()).slice(0, FRAMES_MAX);
    const indent = ' '.repeat(LABEL_WIDTH + 2);
    return [
      head,
      ...places.map((place) => context.style.dim(`${indent}at ${placeText(place, context)}`)),
    ];
  });
}

function adviceLines(error: unknown, context: ErrorReportContext): readonly string[] {
  if (!MillraceError.is(error) || error.advice === null) return [];
  const advice = error.advice.replace(CREATED_AT, '').replace(CAUSE_ADVICE, '').trim();
  return advice === '' ? [] : [labelled('advice', advice, context)];
}

/** The error and its causes, outermost first. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  let current = error;
  while (current instanceof Error && causes.length < CAUSES_MAX) {
    causes.push(current);
    current = current.cause;
  }
  return causes;
}

/** Where the engine's own code is: beside this file when bundled, and its sources in a checkout. */
function engineDirectories(): readonly string[] {
  const dist = dirname(fileURLToPath(entryUrl('index'))) + sep;
  return [dist, `${dirname(dist)}${sep}src${sep}`];
}

function placeText({ file, line, column }: CodePlace, context: ErrorReportContext): string {
  return `${shortPath(file, context.directory)}:${line}${column === null ? '' : `:${column}`}`;
}

function labelled(label: string, text: string, { style }: ErrorReportContext): string {
  return `  ${style.dim(label.padEnd(LABEL_WIDTH))}${text}`;
}
