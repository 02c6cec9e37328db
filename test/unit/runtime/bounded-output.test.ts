import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../../src/runtime/bounded-output.ts', import.meta.url));

it('keeps the newest of what is printed, by threads and by both streams, in a file and the one before', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-output-'));
  try {
    const outfile = join(directory, 'bounded-output.mjs');
    buildSync({ entryPoints: [source], outfile, bundle: true, platform: 'node', format: 'esm' });
    const path = join(directory, 'output.log');
    const program = `
      import { writeSync } from 'node:fs';
      import { Worker } from 'node:worker_threads';
      import { boundOutput } from ${JSON.stringify(outfile)};
      boundOutput({ path: ${JSON.stringify(path)}, bytesMax: 1000 });
      for (let line = 0; line < 500; line++) (line % 2 ? console.log : console.error)('line', line);
      const worker = new Worker('console.log("from a thread")', { eval: true });
      worker.once('exit', () => process.stdout.write('ff', 'hex', () => writeSync(2, 'the end')));
    `;
    const file = openSync(path, 'a');
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', file, file],
    });
    expect(status).toBe(0);
    const text = `${readFileSync(`${path}.1`, 'latin1')}${readFileSync(path, 'latin1')}`;
    expect(text).toMatch(/line 498\nline 499\nfrom a thread\n\xffthe end$/);
    expect(statSync(path).size).toBeLessThan(1100);
    expect(statSync(`${path}.1`).size).toBeLessThan(1100);
    // One line after the other.
    const numbers = [...text.matchAll(/^line (\d+)$/gm)].map(([, number]) => Number(number));
    const [first = 0] = numbers;
    expect(numbers).toEqual(numbers.map((_, at) => first + at));
    expect(first).toBeGreaterThan(0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
