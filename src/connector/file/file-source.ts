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
import type { RowFormat } from './row-format.js';

/** A source of records in files. */
export interface FileSource<T> extends SourceConnector<T> {
  readonly onError: 'fail' | 'skip';
}

/** Makes a file source of a format, which is loaded when it is first used; `filters` is that of the connector. */
export function createFileSource<T>(
  type: string,
  loadFormat: () => Promise<RowFormat>,
  patterns: readonly string[],
  settings: FileSettings,
  validate: ValidateMode | null,
  filters = false,
): FileSource<T> {
  const { onError, deadLetters, encoding, rowBytesMax, compression, splitBytes } = settings;
  const source: FileSource<T> = {
    kind: 'source',
    type,
    name: `${type} ${patterns.join(' ')}`,
    bounded: true,
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    projects: true,
    filters,
    ...(validate === null ? {} : { validate }),
    onError,
    deadLetters,
    plan: async (context: PlanContext): Promise<SourcePlan> => {
      const { planFiles } = await import('./file-plan.js');
      const format = await loadFormat();
      return planFiles({ format, patterns, compression, encoding, splitBytes }, context);
    },
    open: async (context: ReaderContext): Promise<SourceReader> => {
      const { openFileReader } = await import('./file-reader.js');
      const format = await loadFormat();
      return openFileReader(context, { format, encoding, onError, rowBytesMax });
    },
  };
  return Object.freeze(source);
}
