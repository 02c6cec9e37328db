/**
 * Takes the one file out of a multipart form, such as `curl -F jarfile=@job.mjs` sends. Callers: `http-server.ts`, with
 * the whole body, whose size it has bounded. Runs on: the server's thread; pure.
 */
import { MillraceError } from '../base/errors.js';

/** An uploaded file. */
export interface UploadedFile {
  /** As the client calls it. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** The first file of the form. Throws REQUEST_INVALID. */
export function multipartFile(contentType: string, body: Buffer): UploadedFile {
  const boundary = /;\s*boundary=(?:"([^"]{1,70})"|([^;\s]{1,70}))/i.exec(contentType);
  if (boundary === null) throw wrong('It names no boundary.');
  const mark = Buffer.from(`--${boundary[1] ?? boundary[2] ?? ''}`);
  for (let start = body.indexOf(mark); start !== -1; ) {
    const end = body.indexOf(Buffer.concat([Buffer.from('\r\n'), mark]), start);
    if (end === -1) break;
    const head = body.indexOf('\r\n\r\n', start);
    if (head === -1 || head > end) throw wrong('A part of it has no headers.');
    const name = fileNameIn(body.subarray(start, head).toString());
    if (name !== null) return { name, content: body.subarray(head + 4, end) };
    start = end + 2;
  }
  throw wrong('There is no file in it.');
}

function fileNameIn(headers: string): string | null {
  const match = /^content-disposition:[^\r\n]*;\s*filename="((?:[^"\\\r\n]|\\.)*)"/im.exec(headers);
  return match === null ? null : (match[1] ?? '').replaceAll(/\\(.)/g, '$1');
}

function wrong(reason: string): MillraceError {
  return new MillraceError('REQUEST_INVALID', `The form cannot be read. ${reason}`, {
    advice: 'Send the file as curl does: -F jarfile=@job.mjs.',
  });
}
