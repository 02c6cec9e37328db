/**
 * Finds the line of the user's program that called a public function of the api, so that errors,
 * explain and stack traces can point to it. One short stack per operator of a job; nothing per
 * record. Callers: the builders of this folder. Runs on: any thread.
 */
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A frame of V8's structured stack, as far as it is used here. */
interface Frame {
  getFileName(): string | null | undefined;
  getFunctionName(): string | null;
  getEnclosingLineNumber?(): number;
  getEnclosingColumnNumber?(): number;
}

/** A function at which a stack is cut off; only its identity matters. */
export type Boundary = (...args: never[]) => unknown;

/** Where a module stands that called `job()`. */
export interface CallingModule {
  /** URL of the calling module; null when it has none, as in a REPL. */
  readonly module: string | null;
  /** Whether the call happened while that module was being evaluated. */
  readonly isTopLevel: boolean;
}

/** Frames that a module evaluation may be away from the call it makes, helpers in between. */
const MODULE_FRAMES_MAX = 32;

/**
 * `file:line:column` of the code that called `boundary`, with source maps applied when Node applies
 * them; null when the stack does not tell.
 */
export function callSite(boundary: Boundary): string | null {
  const stack = withFrames(1, () => {
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, boundary);
    return holder.stack;
  });
  if (typeof stack !== 'string') return null;
  const line = stack.split('\n').find((text) => /^\s+at /.test(text));
  const match =
    line === undefined ? null : /(?:\(|at |async )([^()\s][^()]*:\d+:\d+)\)?$/.exec(line);
  const place = match?.[1] ?? null;
  return place === null ? null : withoutScheme(place);
}

/**
 * The module that called `boundary`, from the frames as they are loaded (not mapped to their
 * sources).
 */
export function callingModule(boundary: Boundary): CallingModule {
  const frames = withFrames(MODULE_FRAMES_MAX, () => structuredFrames(boundary));
  const [caller] = frames;
  const file = caller?.getFileName() ?? null;
  if (file === null) return { module: null, isTopLevel: false };
  const isTopLevel = frames.some(
    (frame, index) => frame.getFileName() === file && isEvaluation(frame, frames[index + 1]),
  );
  if (file.startsWith('file:')) return { module: file, isTopLevel };
  const isPath = file.startsWith('/') || /^[a-zA-Z]:[\\/]/.test(file);
  return { module: isPath ? pathToFileURL(file).href : null, isTopLevel: isPath && isTopLevel };
}

/**
 * Whether a frame is the evaluation of a module rather than a nameless function: it encloses the
 * file from its very beginning or, where V8 does not tell, was called by the module loader.
 */
function isEvaluation(frame: Frame, below: Frame | undefined): boolean {
  if (frame.getFunctionName() !== null) return false;
  const line = frame.getEnclosingLineNumber?.();
  const column = frame.getEnclosingColumnNumber?.();
  if (line !== undefined && column !== undefined) return line === 1 && column === 1;
  return below?.getFileName()?.startsWith('node:internal/modules/') === true;
}

function structuredFrames(boundary: Boundary): readonly Frame[] {
  const before = Error.prepareStackTrace;
  const holder: { stack?: unknown } = {};
  try {
    Error.prepareStackTrace = (_error, frames) => frames;
    Error.captureStackTrace(holder, boundary);
    // The trace is prepared when it is first read, so it is read before the hook is put back.
    const frames = holder.stack;
    return Array.isArray(frames) ? frames : [];
  } finally {
    Error.prepareStackTrace = before;
  }
}

/** Runs `take` with a stack of `frames` frames. */
function withFrames<T>(frames: number, take: () => T): T {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = frames;
  try {
    return take();
  } finally {
    Error.stackTraceLimit = before;
  }
}

function withoutScheme(place: string): string {
  const match = /^(file:\/\/.*?)(:\d+:\d+)$/.exec(place);
  if (match === null) return place;
  try {
    return fileURLToPath(match[1] ?? '') + (match[2] ?? '');
  } catch {
    // A URL that is no local path, such as one with a host, is still the best name of the place.
    return place;
  }
}
