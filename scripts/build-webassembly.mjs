/**
 * Compiles the sources in AssemblyScript to WebAssembly and writes it, as text, to a TypeScript file beside each. Run
 * it after a change of a source; tests compare the hashes. Callers: developers. Runs on: the main thread.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCES = [
  {
    source: 'src/format/structural/row-scanner.as',
    target: 'src/format/structural/scanner-module.ts',
    what: 'row scanner',
    name: 'SCANNER',
    callers: '`scan-memory.ts`',
  },
  {
    source: 'src/record/byte-marks.as',
    target: 'src/record/byte-marks-module.ts',
    what: 'finder of bytes',
    name: 'BYTE_MARKS',
    callers: '`byte-marks.ts`',
  },
];

for (const module of SOURCES) await write(module);

async function write({ source, target, what, name, callers }) {
  const text = readFileSync(join(root, source), 'utf8');
  const { error, stderr, binary } = await compile(text);
  if (error !== null || binary === null) {
    process.stderr.write(`${source}\n${stderr}\n${error?.message ?? 'no module'}\n`);
    process.exit(1);
  }
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,88}/g) ?? [];
  writeFileSync(
    join(root, target),
    `/**
 * The compiled ${what}. Written by \`scripts/build-webassembly.mjs\` from \`${basename(source)}\`; do not
 * edit. Callers: ${callers}. Runs on: any thread; constants.
 */

/** SHA-256 of the source that the module was compiled from. */
export const ${name}_SOURCE_HASH =
  '${createHash('sha256').update(text).digest('hex')}';

/** The WebAssembly module, as base64. */
export const ${name}_MODULE =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`,
  );
  process.stdout.write(`${target}: ${binary.length} bytes of WebAssembly\n`);
}

/** Runs the compiler over a source held in memory. */
async function compile(source) {
  let output = null;
  const result = await asc.main(
    [
      'source.ts',
      '--outFile',
      'module.wasm',
      '--runtime',
      'stub',
      '--enable',
      'simd',
      '--importMemory',
      '--noAssert',
      '-O3',
      '--converge',
    ],
    {
      readFile: (name) => (name === 'source.ts' ? source : null),
      writeFile: (name, content) => {
        if (name.endsWith('.wasm')) output = content;
      },
      listFiles: () => [],
    },
  );
  return { error: result.error, stderr: result.stderr.toString(), binary: output };
}
