/**
 * The files in a tape archive, as `npm pack` and `tar` write them: ustar with long names of POSIX or GNU. Callers:
 * `bundle-archive.ts`. Runs on: the server's thread; pure. Invariant: a path that is given names something below the
 * directory into which it is unpacked, whatever is in the archive.
 */
import { MillraceError } from '../base/errors.js';

const BLOCK_BYTES = 512;
const PATH_CHARS_MAX = 1024;

/** A file; its path has forward slashes and no part that leads elsewhere. */
export interface TarFile {
  readonly path: string;
  readonly content: Buffer;
}

/** The files, in their order; directories are left out. Throws BUNDLE_INVALID, also for links and devices. */
export function* tarFiles(archive: Buffer): Generator<TarFile> {
  /** What a header before says of the next one. */
  let longPath: string | null = null;
  let longBytes: number | null = null;
  let at = 0;
  while (at + BLOCK_BYTES <= archive.length) {
    const header = archive.subarray(at, at + BLOCK_BYTES);
    // Two blocks of zeros end it, or one where somebody was sparing.
    if (header.every((byte) => byte === 0)) return;
    checkSum(header);
    const bytes: number = longBytes ?? octal(header, 124, 12);
    const start = at + BLOCK_BYTES;
    if (start + bytes > archive.length) throw invalid('It ends in the middle of a file.');
    const content = archive.subarray(start, start + bytes);
    at = start + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'x') {
      const { path, size } = extended(content);
      longPath = path ?? longPath;
      longBytes = size ?? null;
      continue;
    }
    if (type === 'L') {
      longPath = text(content, 0, content.length);
      continue;
    }
    if (type !== 'g' && type !== '5') {
      const path = longPath ?? shortPath(header);
      if (type !== '0' && type !== '\0') throw invalid(`${JSON.stringify(path)} is no file.`);
      yield { path: safePath(path), content };
    }
    longPath = null;
    longBytes = null;
  }
  throw invalid('It has no end.');
}

function safePath(path: string): string {
  const parts = path.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
  const isSafe =
    !/^(?:[\\/]|[A-Za-z]:)/.test(path) &&
    !parts.includes('..') &&
    parts.length > 0 &&
    path.length <= PATH_CHARS_MAX &&
    // The file systems of some machines take a part of a name for something else behind these.
    !/[\0:*?"<>|]/.test(path);
  if (isSafe) return parts.join('/');
  throw invalid(`It has a file ${JSON.stringify(path.slice(0, 200))}, which leads elsewhere.`);
}

function shortPath(header: Buffer): string {
  const name = text(header, 0, 100);
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Lines of a length, a key and a value, of which the length counts itself. */
function extended(content: Buffer): { readonly path?: string; readonly size?: number } {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const bytes = Number(content.subarray(at, Math.max(at, space)).toString());
    const end = at + bytes;
    const isLine = space > at && Number.isInteger(bytes) && end > space && end <= content.length;
    if (!isLine) throw invalid('It has a header that cannot be read.');
    const [, key, value = ''] =
      /^([^=]*)=([\s\S]*)\n$/.exec(content.subarray(space + 1, end).toString()) ?? [];
    if (key === 'path') found.path = value;
    if (key === 'size') found.size = sizeIn(value, 10);
    at = end;
  }
  return found;
}

/** The sum of all bytes of a header but those of itself, which count as spaces. */
function checkSum(header: Buffer): void {
  let sum = 0;
  for (const [at, byte] of header.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  if (sum !== octal(header, 148, 8)) throw invalid('It has a header that cannot be read.');
}

function octal(header: Buffer, at: number, bytes: number): number {
  return sizeIn(text(header, at, bytes).trim() || '0', 8);
}

function sizeIn(digits: string, radix: 8 | 10): number {
  const number = /^\d+$/.test(digits) ? Number.parseInt(digits, radix) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw invalid('It has a header that cannot be read.');
}

/** Up to its first zero. */
function text(bytes: Buffer, at: number, length: number): string {
  const part = bytes.subarray(at, at + length);
  const end = part.indexOf(0);
  return part.subarray(0, end === -1 ? part.length : end).toString();
}

function invalid(reason: string): MillraceError {
  return new MillraceError('BUNDLE_INVALID', `The archive cannot be unpacked. ${reason}`, {
    advice: 'Make it with `npm pack`, or with tar of files and directories alone.',
  });
}
