/**
 * The errors of damaged Parquet files. Offsets count from the start of the file when the caller
 * knows where the bytes come from, else from the start of the piece being read; the reader adds the
 * file. Callers: this folder. Runs on: any thread.
 */
import { MillraceError } from '../../base/errors.js';

/** A file that contradicts its format. `what` is a full sentence. */
export function corrupt(what: string, byteOffset: number | null = null): MillraceError {
  return new MillraceError('FORMAT_INVALID', what, {
    where: byteOffset === null ? {} : { byteOffset },
    advice: 'The file is damaged or incomplete: copy it again, or write it anew.',
  });
}

/** A part of the format that is not read. `what` is a full sentence. */
export function unsupported(what: string, advice: string): MillraceError {
  return new MillraceError('FEATURE_UNSUPPORTED', what, { advice });
}
