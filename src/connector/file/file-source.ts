/**
 * The source connector shared by CSV, NDJSON and text: planning on the caller's thread, readers in
 * the slots. Callers: the factories of the three formats. Runs on: see the contract.
 */
import type { ValidateMode } from '../../format/bytes/row-parser.js';
import type {
  PlanContext,
  ReaderContext,
  SourceConnector,
  SourcePlan,
  SourceReader,
} from '../contract.js';
import type { FileSettings } from './file-options.js';
import { loadPlanCodecs, planFiles } from './file-plan.js';
import { FileReader } from './file-reader.js';
import type { RowFormat } from './row-format.js';

/** A source of records in files; it says how much of them it checks. */
export interface FileSource<T> extends SourceConnector<T> {
  readonly validate: ValidateMode;
  readonly onError: 'fail' | 'skip';
}

/** Makes a file source of a format. */
export function createFileSource<T>(
  format: RowFormat,
  patterns: readonly string[],
  settings: FileSettings,
  validate: ValidateMode,
): FileSource<T> {
  const { onError, deadLetters, encoding, rowBytesMax, compression, splitBytes } = settings;
  const source: FileSource<T> = {
    kind: 'source',
    type: format.type,
    name: `${format.type} ${patterns.join(' ')}`,
    bounded: true,
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    projects: true,
    validate,
    onError,
    deadLetters,
    plan: (context: PlanContext): Promise<SourcePlan> =>
      planFiles({ format, patterns, compression, encoding, splitBytes }, context),
    open: async (context: ReaderContext): Promise<SourceReader> => {
      const libraries = await loadPlanCodecs(context.plan);
      return new FileReader(context, { format, encoding, onError, rowBytesMax, libraries });
    },
  };
  return Object.freeze(source);
}
