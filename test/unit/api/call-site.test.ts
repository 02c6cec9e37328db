import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { callingModule, callSite } from '../../../src/api/call-site.js';

const verb = (): string | null => callSite(verb);
const wrapper = (): string | null => inner(wrapper);
const inner = (boundary: () => unknown): string | null => callSite(boundary);

describe('callSite', () => {
  it('names the line that called the public function', () => {
    const own = /:(\d+):\d+\)?$/m.exec(new Error().stack?.split('\n')[1] ?? '');
    const place = verb();
    expect(place).toMatch(/call-site\.test\.ts:\d+:\d+$/);
    expect(place).not.toContain('file://');
    expect(Number(/:(\d+):\d+$/.exec(place ?? '')?.[1])).toBe(Number(own?.[1]) + 1);
  });

  it('skips everything below the boundary', () => {
    expect(wrapper()?.replace(/:\d+:\d+$/, '')).toBe(fileURLToPath(import.meta.url));
  });

  it('leaves the settings of stack traces as they were', () => {
    const before = [Error.stackTraceLimit, Error.prepareStackTrace];
    verb();
    callingModule(verb);
    expect([Error.stackTraceLimit, Error.prepareStackTrace]).toEqual(before);
  });
});

describe('callingModule', () => {
  // A real module graph, since the test runner wraps modules into functions. The function under
  // test is plain enough to be taken over with its types erased, which is how it reaches a process
  // of its own.
  it('tells a call during evaluation from one inside a function that runs later', () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-call-site-'));
    try {
      const esbuild = join(process.cwd(), 'node_modules/esbuild/bin/esbuild');
      const library = join(directory, 'call-site.mjs');
      const from = fileURLToPath(new URL('../../../src/api/call-site.ts', import.meta.url));
      execFileSync(esbuild, [from, '--format=esm', `--outfile=${library}`, '--log-level=error']);
      writeFileSync(
        join(directory, 'main.mjs'),
        `import { callingModule } from './call-site.mjs';
         const define = () => callingModule(define);
         const helper = () => define();
         const found = { direct: define(), helper: helper(), arrow: (() => define())() };
         await null;
         found.afterAwait = define();
         setTimeout(() => {
           found.later = define();
           (async () => { await null; found.asyncLater = define(); })()
             .then(() => process.stdout.write(JSON.stringify(found)));
         });`,
      );
      const main = join(directory, 'main.mjs');
      const found = JSON.parse(execFileSync(process.execPath, [main], { encoding: 'utf8' }));
      const top = { module: pathToFileURL(main).href, isTopLevel: true };
      const later = { ...top, isTopLevel: false };
      expect(found).toEqual({
        direct: top,
        helper: top,
        arrow: top,
        afterAwait: top,
        later,
        asyncLater: later,
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
