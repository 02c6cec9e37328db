import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectSink, deadLetter, job, MillraceError, ndjson, run } from 'millrace';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'millrace-letters-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const input = join(directory, 'input.ndjson');
writeFileSync(
  input,
  Array.from({ length: 5000 }, (_, id) => (id % 100 === 7 ? `{"id": ${id},` : `{"id":${id}}`)).join(
    '\n',
  ),
);

describe('records that cannot be parsed', () => {
  it('fail the job with file, line and offset by default', async () => {
    const failing = job('strict', (flow) => flow.from(ndjson(input)).to(collectSink()));
    const error = await run(failing).catch((cause: unknown) => cause);
    expect(MillraceError.is(error) && error.code).toBe('BAD_RECORD');
    expect(MillraceError.is(error) && error.where).toMatchObject({ file: input, line: 8 });
  });

  it('are counted when skipped, and reported with their bytes', async () => {
    const good = collectSink<{ id: number }>();
    const skipping = job('lenient', (flow) =>
      flow.from(ndjson<{ id: number }>(input, { onError: 'skip' })).to(good),
    );
    const result = await run(skipping);
    expect(result.badRecords).toBe(50);
    expect(good.rows.length).toBe(4950);
  });

  it('go to the dead-letter sink whole, and only they do', async () => {
    const good = collectSink<{ id: number }>();
    const out = join(directory, 'bad');
    const keeping = job('keeping', (flow) =>
      flow
        .from(
          ndjson<{ id: number }>(input, { onError: deadLetter(ndjson(out)), splitBytes: '4kb' }),
        )
        .to(good),
    );
    const result = await run(keeping);
    const letters = readdirSync(out).flatMap((name) =>
      readFileSync(join(out, name), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    expect(result.badRecords).toBe(50);
    expect(good.rows.length).toBe(4950);
    expect(letters.map((letter) => letter.text).toSorted()).toEqual(
      Array.from({ length: 50 }, (_, index) => `{"id": ${index * 100 + 7},`).toSorted(),
    );
    expect(letters[0]).toMatchObject({ file: input, code: 'BAD_RECORD' });
  });

  it('cannot go to a sink of the calling thread', () => {
    expect(() => deadLetter(collectSink())).toThrow(/runs in the slots/);
  });
});
