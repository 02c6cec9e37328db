/**
 * The files of the web console, as the build left them: read when they are first asked for, sent compressed, under a
 * policy that lets a page load and ask nothing but this server. Callers: `http-server.ts`. Runs on: the server's
 * thread. Invariant: only files that the directory lists are ever read, whatever path is asked for.
 */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { readContent } from '../checkpoint/file-content.js';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Nothing from elsewhere, nothing inline: text that jobs bring with them can never become a program. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A file as it is sent. */
export interface ConsoleFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Buffer;
}

interface Loaded {
  readonly type: string;
  readonly plain: Buffer;
  readonly zipped: Buffer;
}

/** The files. */
export class ConsoleFiles {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #loaded = new Map<string, Loaded>();

  /** `directory` holds `index.html` and, in `assets/`, what it loads. */
  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** A file by its path below the directory. Throws PATH_UNKNOWN. */
  get(path: string, mayZip: boolean): ConsoleFile {
    const { type, plain, zipped } = this.#loaded.get(path) ?? this.#load(path);
    const headers = {
      'content-type': type,
      'content-security-policy': POLICY,
      'referrer-policy': 'no-referrer',
      // Names of parts hold the hash of what is in them; the page itself names those of today.
      ...(path.startsWith('assets/')
        ? { 'cache-control': 'public, max-age=31536000, immutable' }
        : {}),
      vary: 'accept-encoding',
      ...(mayZip ? { 'content-encoding': 'gzip' } : {}),
    };
    return { headers, content: mayZip ? zipped : plain };
  }

  #load(path: string): Loaded {
    const parts = this.#disk.list(join(this.#directory, 'assets'));
    const isKnown = path === 'index.html' || parts.some((name) => path === `assets/${name}`);
    const content = isKnown ? readContent(this.#disk, join(this.#directory, path)) : null;
    if (content === null) {
      throw new MillraceError('PATH_UNKNOWN', `The console has no file ${path}.`, {
        advice: 'Reload the page; another version of the server may have been started.',
      });
    }
    const type = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    const plain = Buffer.from(content);
    const loaded = { type, plain, zipped: gzipSync(plain, { level: 9 }) };
    this.#loaded.set(path, loaded);
    return loaded;
  }
}
