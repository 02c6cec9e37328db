/**
 * Compiles `src/format/structural/row-scanner.as` to WebAssembly and writes it, as text, to
 * `scanner-module.ts` beside it. Run it after a change of the source; a test compares the hash.
 * Callers: developers. Runs on: the main thread.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../src/format/structural');
const source = readFileSync(join(folder, 'row-scanner.as'), 'utf8');
const { default: asc } = await import('assemblyscript/asc');

const { error, stderr, binary } = await compile();
if (error !== null || binary === null) {
  process.stderr.write(`${stderr}\n${error?.message ?? 'no module'}\n`);
  process.exit(1);
}
const text = Buffer.from(binary).toString('base64');
const lines = text.match(/.{1,88}/g) ?? [];
writeFileSync(
  join(folder, 'scanner-module.ts'),
  `/**
 * The compiled row scanner. Written by \`scripts/build-row-scanner.mjs\` from \`row-scanner.as\`; do not
 * edit. Callers: \`scan-memory.ts\`. Runs on: any thread; constants.
 */

/** SHA-256 of the source that the module was compiled from. */
export const SCANNER_SOURCE_HASH =
  '${createHash('sha256').update(source).digest('hex')}';

/** The WebAssembly module, as base64. */
export const SCANNER_MODULE =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`,
);
process.stdout.write(`scanner-module.ts: ${binary.length} bytes of WebAssembly\n`);

/** Runs the compiler over the source held in memory. */
async function compile() {
  let output = null;
  const result = await asc.main(
    [
      'row-scanner.ts',
      '--outFile',
      'row-scanner.wasm',
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
      readFile: (name) => (name === 'row-scanner.ts' ? source : null),
      writeFile: (name, content) => {
        if (name.endsWith('.wasm')) output = content;
      },
      listFiles: () => [],
    },
  );
  return { error: result.error, stderr: result.stderr.toString(), binary: output };
}
