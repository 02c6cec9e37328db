import { describe, expect, it } from 'vitest';
import { folders, sourceFiles, textOf, withoutComments } from './source-files.js';

const DATA_PLANE = new Set(['record', 'ring', 'time', 'state', 'operator', 'format']);

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly allowed: (path: string, folder: string) => boolean;
}

const nowhere = (): boolean => false;

const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\b|\bperformance\.now\b|\bprocess\.hrtime\b|\bnew Date\(\)/,
    instead: 'base/clock',
    allowed: (path) => path === 'src/base/clock.ts',
  },
  {
    pattern: /\bMath\.random\b|\bcrypto\.random|\brandom(Bytes|UUID|Int)\b/,
    instead: 'base/random',
    allowed: (path) => path === 'src/base/random.ts',
  },
  {
    pattern: /\bnew SharedArrayBuffer\b/,
    instead: 'memory/arena',
    allowed: (_, folder) => folder === 'memory',
  },
  {
    pattern: /\bAtomics\.wait(Async)?\b/,
    instead: 'ring/parker',
    // A slot that proposes a schema waits for its turn at the registry; a command asks whether the call exists.
    allowed: (path) =>
      path === 'src/ring/parker.ts' ||
      path === 'src/record/schema-registry.ts' ||
      path === 'src/cli/doctor-checks.ts',
  },
  {
    pattern: /\bnew Worker\b/,
    instead: 'a thread of runtime',
    allowed: (path, folder) => folder === 'runtime' || path === 'src/cli/doctor-checks.ts',
  },
  {
    pattern: /\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bprocess\.nextTick\b/,
    instead: 'a callback injected by runtime',
    allowed: (_, folder) => !DATA_PLANE.has(folder),
  },
  {
    pattern: /\bnew Promise\b|\bPromise\.|\basync\b|\bawait\b/,
    instead: 'a step function that is called again',
    allowed: (path, folder) => !DATA_PLANE.has(folder) || path === 'src/ring/parker.ts',
  },
  {
    pattern: /\bprocess\.env\b/,
    instead: 'configuration resolved by cli or api',
    allowed: (_, folder) => folder === 'cli',
  },
  {
    pattern: /\bconsole\./,
    instead: 'an event, an error or a view of cli',
    allowed: nowhere,
  },
  { pattern: /\bnew Function\b|\beval\(/, instead: 'vm.compileFunction', allowed: nowhere },
  { pattern: /\bas unknown as\b|\bas any\b/, instead: 'a type guard', allowed: nowhere },
  {
    pattern: /\b(dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b/,
    instead: 'text, which the browser never takes for markup',
    allowed: nowhere,
  },
  { pattern: /@ts-(ignore|nocheck|expect-error)/, instead: 'types that fit', allowed: nowhere },
];

/** In comments too. Switching a rule off for a line needs a reason behind a colon or two dashes. */
const BANNED_TEXT =
  /\b(TODO|FIXME|XXX|HACK)\b|(?:oxlint|eslint|biome)-(?:disable|ignore)(?!.*(?::|--) \S.{10})/;

describe('style', () => {
  it('every file opens with a header comment that names its thread', () => {
    const wrong = sourceFiles
      .filter(({ path }) => path.startsWith('src/'))
      .filter(({ text }) => !headerOf(text).includes('Runs on:'))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  it('code fits in 100 columns, prose in 120', () => {
    const wrong = sourceFiles.flatMap((file) =>
      file.lines.flatMap((line, index) => {
        const isProse = /^\s*(\*|\/\/|\/\*)/.test(line);
        return line.length > (isProse ? 120 : 100) ? [`${file.path}:${index + 1}`] : [];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('no file is longer than 700 lines', () => {
    const wrong = sourceFiles.filter(({ lines }) => lines.length > 701).map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  it('banned calls stay with their owners', () => {
    const wrong = sourceFiles.flatMap((file) => {
      const lines = withoutComments(file.text).split('\n');
      return BANS.filter((ban) => !ban.allowed(file.path, file.folder)).flatMap((ban) =>
        lines.flatMap((line, index) =>
          ban.pattern.test(withoutStrings(line))
            ? [`${file.path}:${index + 1} use ${ban.instead}`]
            : [],
        ),
      );
    });
    expect(wrong).toEqual([]);
  });

  it('nothing is left for later, and no rule is switched off without a reason', () => {
    const wrong = sourceFiles.flatMap((file) =>
      file.lines.flatMap((line, index) =>
        BANNED_TEXT.test(line) ? [`${file.path}:${index + 1}`] : [],
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('every folder of src has its paragraph in src/README.md', () => {
    const readme = textOf('src/README.md');
    expect(folders.filter((folder) => !readme.includes(`**${folder}/**`))).toEqual([]);
  });
});

/** The comment that a file opens with, after a line for the shell, as one line; '' when there is none. */
function headerOf(text: string): string {
  const header = /^(?:#!.*\n)?(\/\*\*[\s\S]*?\*\/)/.exec(text)?.[1] ?? '';
  return header.replace(/\n \* ?/g, ' ');
}

/** A line without the contents of its simple strings: a message may name what code may not. */
function withoutStrings(line: string): string {
  return line.replace(/'(?:[^'\\]|\\.)*'/g, "''");
}
