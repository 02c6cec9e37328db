/**
 * How streams of other kinds make plain ones: given by `Stream`, so that the classes do not import each other.
 * Callers: keyed, windowed and connected streams. Runs on: any thread.
 */
import type { Stream } from './stream.js';
import type { StreamCore } from './stream-core.js';

/** Wraps a result. */
export type StreamFactory = <U>(core: StreamCore) => Stream<U>;
