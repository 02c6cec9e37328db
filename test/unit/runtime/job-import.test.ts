import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { importJob, jobHook } from '../../../src/runtime/job-import.js';

let imports = 0;

/** A URL of a fixture under which it was never imported, so that it is evaluated as in a fresh thread. */
function fixture(name: string): string {
  return new URL(`../../fixtures/import/${name}.mjs?import=${imports++}`, import.meta.url).href;
}

const slot = { isSlot: true };

async function failureOf(promise: Promise<unknown>): Promise<MillraceError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (MillraceError.is(thrown)) return thrown;
  throw new Error(`It did not fail with a coded error: ${thrown}`);
}

describe('importJob', () => {
  it('takes the default export when no name is given, and any job by its name', async () => {
    expect((await importJob(fixture('exported'), null, slot)).name).toBe('first');
    expect((await importJob(fixture('exported'), 'second', slot)).name).toBe('second');
  });

  it('takes the job of a script at its definition, and lets nothing behind its run happen', async () => {
    const went = globalThis as { millraceTestWentOn?: boolean };
    expect((await importJob(fixture('self-running'), 'own', slot)).name).toBe('own');
    expect((await importJob(fixture('self-running'), null, slot)).name).toBe('own');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(went.millraceTestWentOn).toBe(undefined);
    expect(jobHook()?.isSlot).toBe(true);
  });

  it('names the jobs there are, or the nearest one, when the wanted one is missing', async () => {
    const missing = await failureOf(importJob(fixture('exported'), 'frist', slot));
    expect(missing.code).toBe('JOB_NOT_FOUND');
    expect(missing.advice).toContain('first');
    const unlike = await failureOf(importJob(fixture('exported'), 'something else', slot));
    expect(unlike.advice).toContain('second, first');
    const none = await failureOf(importJob(fixture('none'), null, slot));
    expect(none.code).toBe('JOB_NOT_FOUND');
    expect(none.advice).toContain('export default job(');
    expect(none.where.file).toContain('none.mjs');
  });

  it('does not wait for ever for a job behind the awaited run of another one', async () => {
    const error = await failureOf(importJob(fixture('run-before'), 'late', slot));
    expect(error.code).toBe('JOB_NOT_FOUND');
    expect(error.message).toContain('"early"');
    expect(error.message).toContain('"late"');
  });
});
