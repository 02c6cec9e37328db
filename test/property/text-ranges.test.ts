/**
 * Parts of texts and matches of patterns that are found on bytes, several of one text in any order, in filters, cases and selections of one
 * chain: each is what the same call gives for the string alone, whatever was found before it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { col, collection, collectSink, type Col, job, type Stream, when } from '../../src/index.js';
import { runOnArrays } from '../../src/testing.js';

interface Row {
  readonly id: number;
  readonly text: string | null;
}

const pieces = [
  '/',
  '//',
  'a',
  'b',
  'é',
  '·',
  '😀',
  '\ud83d',
  '\ude00',
  'a long piece of some text',
  '',
];
const texts = fc.oneof(
  { weight: 9, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 9 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const rows = fc
  .array(texts, { maxLength: 30 })
  .map((all) =>
    all.map((parts, id): Row => ({ id, text: parts === null ? null : parts.join('') })),
  );
type Call =
  | { readonly separator: string; readonly index: number }
  | { readonly pattern: RegExp; readonly group: number };
const calls = fc.array(
  fc.oneof(
    fc.record({ separator: fc.constantFrom('/', '//', 'a', 'é', '😀'), index: fc.nat({ max: 6 }) }),
    fc.record({
      pattern: fc.constantFrom(/(a|^)b([^/]*)/, /\/+(a*)/, /a(b)?/, /(\w+)$/, /[^/]+/),
      group: fc.nat({ max: 2 }),
    }),
  ),
  { minLength: 1, maxLength: 5 },
);

function rangeOf(text: string | null, call: Call): string | null {
  if (text === null) return null;
  if ('pattern' in call) return call.pattern.exec(text)?.[call.group] ?? null;
  return text.split(call.separator)[call.index] ?? null;
}

function called(call: Call): Col<string | null> {
  const text = col<string>('text');
  if ('pattern' in call) return text.regexpExtract(call.pattern, call.group);
  return text.splitPart(call.separator, call.index);
}

describe('parts and matches found on bytes', () => {
  it('are those of the strings', async () => {
    await fc.assert(
      fc.asyncProperty(rows, calls, fc.nat(), async (given, wanted, seed) => {
        const [first] = wanted;
        const flow = job('parts', (build) => {
          const source: Stream<Row> = build.from(collection<Row>([]), { name: 'rows' });
          const parts = wanted.map((call, at) => [`p${at}`, called(call)] as const);
          source
            .filter(
              col('id')
                .gte(0)
                .and(called(first).isNotNull().or(col('id').mod(2).eq(0))),
            )
            .select({
              id: 'id',
              without: col('text').replace('a', '').length(),
              chosen: when(called(first).eq('a'))
                .then('A')
                .otherwise(called(wanted.at(-1) ?? first)),
              ...Object.fromEntries(parts),
            })
            .to(collectSink(), { name: 'out' });
        });
        const all: Row[] = [{ id: -1, text: 'a' }, ...given];
        const run = await runOnArrays(flow, { sources: { rows: all }, seed });
        const expected = given
          .filter(({ id, text }) => rangeOf(text, first) !== null || id % 2 === 0)
          .map(({ id, text }) => {
            const parts = wanted.map((call, at) => [`p${at}`, rangeOf(text, call)] as const);
            const last = rangeOf(text, wanted.at(-1) ?? first);
            const chosen = rangeOf(text, first) === 'a' ? 'A' : last;
            const without = text === null ? null : text.replaceAll('a', '').length;
            return { id, without, chosen, ...Object.fromEntries(parts) };
          });
        const byId = (a: { id: number }, b: { id: number }): number => a.id - b.id;
        expect((run.records('out') as { id: number }[]).toSorted(byId)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
