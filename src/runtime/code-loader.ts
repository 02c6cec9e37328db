/**
 * Loads the parts of the built package, which the build writes as functions (`scripts/lib/code-files.mjs`), so that
 * what V8 made of them can be kept: compiling is most of what a thread does before it runs. The threads of slots write
 * it beside the parts before they end, and threads after them, also of other processes, read it. Callers: the built
 * entries and parts. Runs on: any thread. Invariant: what is kept is taken only as it was written, for the very text
 * that it was made of; that it suits this V8 and its flags is checked by V8.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';
import { threadId } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { onKeepCode } from './kept-code.js';

/** What a part exports. */
type Exports = Readonly<Record<string, unknown>>;

/** A part as a function of what it reaches other parts, modules, packages and itself by. */
type Part = (
  load: (name: string) => Exports,
  late: (name: string) => Promise<Exports>,
  importModule: (specifier: string) => Promise<unknown>,
  require: NodeJS.Require,
  url: string,
) => Exports;

/** A part that was compiled here, and the checksum of its text. */
interface Compiled {
  readonly script: Script;
  readonly sourceSum: number;
}

/** Checksums of the text and of what was made of it; V8 would crash on code that is damaged. */
const HEADER_BYTES = 8;

const requirePackage = createRequire(import.meta.url);
const loaded = new Map<string, Exports>();
const compiled = new Map<string, Compiled>();

/** The exports of a part, which is evaluated once in a thread. */
export function load(name: string): Exports {
  let exports = loaded.get(name);
  if (exports === undefined) {
    const { href } = new URL(`./${name}.js`, import.meta.url);
    const part = scriptOf(name, href).runInThisContext() as Part;
    exports = part(load, late, importModule, requirePackage, href);
    loaded.set(name, exports);
  }
  return exports;
}

/** The same for parts that are loaded when they are needed. */
export async function late(name: string): Promise<Exports> {
  return load(name);
}

/** For modules outside of the package. */
function importModule(specifier: string): Promise<unknown> {
  return import(specifier);
}

function scriptOf(name: string, href: string): Script {
  const source = readFileSync(new URL(href));
  const sourceSum = crc32(source);
  const cachedData = keptCode(name, sourceSum);
  const script = new Script(source.toString(), {
    filename: href,
    ...(cachedData === null ? {} : { cachedData }),
  });
  const isKept = cachedData !== null && script.cachedDataRejected !== true;
  if (!isKept) compiled.set(name, { script, sourceSum });
  return script;
}

function codeFile(name: string): URL {
  return new URL(`./code/${name}.${process.version}-${process.arch}`, import.meta.url);
}

/** What is kept of the text with that checksum; null for nothing. */
function keptCode(name: string, sourceSum: number): Buffer | null {
  try {
    const file = readFileSync(codeFile(name));
    const code = file.subarray(HEADER_BYTES);
    const isWhole = file.readUInt32LE(0) === sourceSum && file.readUInt32LE(4) === crc32(code);
    return isWhole ? code : null;
  } catch {
    return null;
  }
}

/** Writes what was compiled, functions that have run included; without effect where the package cannot be written. */
function writeCode(): void {
  try {
    for (const [name, { script, sourceSum }] of compiled) {
      const code = script.createCachedData();
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUInt32LE(sourceSum, 0);
      header.writeUInt32LE(crc32(code), 4);
      const file = codeFile(name);
      const aside = new URL(`${file.href}.${process.pid}-${threadId}.tmp`);
      mkdirSync(new URL('.', file), { recursive: true });
      writeFileSync(aside, Buffer.concat([header, code]));
      renameSync(aside, file);
    }
  } catch {
    // It will be compiled again the next time.
  }
}

onKeepCode(writeCode);
