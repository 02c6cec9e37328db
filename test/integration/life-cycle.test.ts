import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MillraceError, run, start } from 'millrace';
import { describe, expect, it } from 'vitest';
import failing from '../fixtures/jobs/failing.mjs';
import unstable from '../fixtures/jobs/unstable.mjs';
import { bounded, endless } from '../fixtures/jobs/sums.mjs';

async function failureOf(promise: Promise<unknown>): Promise<MillraceError> {
  try {
    await promise;
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('The job did not fail.');
}

describe('a function of a job that misbehaves', () => {
  it('fails the job with the operator and the cause when it throws', async () => {
    const error = await failureOf(
      run(failing, { parallelism: 2, params: { behaviour: 'throws' } }),
    );
    expect(error.code).toBe('USER_FUNCTION_FAILED');
    expect(error.where.operator).toBe('misbehave');
    expect(error.where.job).toBe('failing');
    expect((error.cause as Error).message).toBe('bad record 4321');
    expect((error.cause as Error).stack).toContain('failing.mjs');
  });

  it.each([
    ['whose input ends', false],
    ['that never rests', true],
  ])('fails a job %s when it leaves a rejected promise behind', async (_name, endless) => {
    const error = await failureOf(
      run(failing, { parallelism: 2, params: { behaviour: 'forgets', endless } }),
    );
    expect(error.code).toBe('USER_FUNCTION_FAILED');
    expect(error.message).toContain('TypeError: nobody waits');
  });

  it('fails the job with the operator when it ends its thread', async () => {
    const error = await failureOf(run(failing, { parallelism: 2, params: { behaviour: 'exits' } }));
    expect(error.code).toBe('TASK_EXITED');
    expect(error.where.operator).toBe('misbehave');
  });

  it('fails the job with the operator when it never returns, within the stall timeout', async () => {
    const error = await failureOf(
      run(failing, {
        parallelism: 2,
        params: { behaviour: 'spins' },
        // Longer than a busy machine makes the others wait.
        settings: { 'task.stallTimeout': '5s' },
      }),
    );
    expect(error.code).toBe('TASK_STALLED');
    expect(error.where.operator).toBe('misbehave');
  });

  it('can be canceled while it never returns, after the cancellation timeout', async () => {
    const execution = await start(failing, {
      parallelism: 2,
      params: { behaviour: 'spins' },
      settings: { 'task.cancellationTimeout': '200ms' },
    });
    setTimeout(() => execution.cancel(), 300);
    const error = await failureOf(execution.finished);
    expect(error.code).toBe('JOB_CANCELED');
    expect(execution.state).toBe('CANCELED');
  });

  it('fails the job with the operator when it keeps too much', async () => {
    const error = await failureOf(
      run(failing, {
        parallelism: 2,
        params: { behaviour: 'hoards' },
        slot: { memory: '96mb' },
      }),
    );
    expect(error.code).toBe('MEMORY_EXHAUSTED');
    expect(error.where.operator).toContain('misbehave');
  });

  it('ends only its own process when the job is isolated', async () => {
    for (const behaviour of ['throws', 'exits', 'hoards']) {
      const error = await failureOf(
        run(failing, {
          parallelism: 2,
          isolate: 'process',
          params: { behaviour },
          slot: { memory: '96mb' },
        }),
      );
      expect(error.where.job).toBe('failing');
      expect(['USER_FUNCTION_FAILED', 'TASK_EXITED', 'MEMORY_EXHAUSTED', 'PROCESS_DIED']).toContain(
        error.code,
      );
    }
  });
});

describe('a job that differs between threads', () => {
  it('is refused before it runs', async () => {
    const error = await failureOf(run(unstable, { parallelism: 2 }));
    expect(error.code).toBe('JOB_MISMATCH');
    expect(error.advice).toContain('params');
  });
});

describe('what is no job', () => {
  it('is refused with a code', async () => {
    for (const nothing of [{}, null, 'failing', () => {}]) {
      expect((await failureOf(run(nothing as never))).code).toBe('OPTION_INVALID');
    }
  });
});

describe('the end of a job', () => {
  it('comes by cancel, with an AbortSignal too', async () => {
    const controller = new AbortController();
    const execution = await start(endless, { parallelism: 2, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 200);
    const error = await failureOf(execution.finished);
    expect(error.code).toBe('JOB_CANCELED');
    expect((error.cause as Error).message).toBe('enough');
    expect(execution.state).toBe('CANCELED');
  });

  it('comes by stop with drain, and everything read was aggregated', async () => {
    const execution = await start(endless, { parallelism: 2 });
    while ((execution.metrics().vertices[1]?.rowsIn ?? 0) === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const result = await execution.stop({ drain: true });
    const [source, aggregate] = result.metrics.vertices;
    expect(source?.rowsIn).toBeGreaterThan(0);
    expect(aggregate?.rowsIn).toBe(source?.rowsIn);
    expect(execution.state).toBe('FINISHED');
  });

  it('reports states, and counters that add up', async () => {
    const execution = await start(bounded, { parallelism: 2, params: { emit: 'updates' } });
    const states: string[] = [];
    for await (const event of execution.events()) {
      if (event.type === 'state') states.push(event.state);
    }
    const { metrics } = await execution.finished;
    expect(states.at(-1)).toBe('FINISHED');
    expect(metrics.vertices[0]?.rowsIn).toBe(100_000);
    expect(metrics.edges[0]?.rows).toBe(100_000);
    expect(metrics.edges[0]?.bytes).toBeGreaterThan(100_000 * 8);
  });

  it('leaves no handle, thread or file behind: the process ends by itself', () => {
    const script = fileURLToPath(new URL('../fixtures/run-and-list-handles.mjs', import.meta.url));
    const output = execFileSync(process.execPath, [script], { encoding: 'utf8', timeout: 200_000 });
    expect(JSON.parse(output)).toEqual({ resources: [], workers: 0 });
  });

  it('leaves no thread when it is refused, or had started more or fewer than the plan wants', () => {
    const script = fileURLToPath(new URL('../fixtures/run-and-count-threads.mjs', import.meta.url));
    const output = execFileSync(process.execPath, [script], { encoding: 'utf8', timeout: 200_000 });
    expect(JSON.parse(output)).toEqual({
      'unknown-field': { code: 'FIELD_UNKNOWN', hasThreads: true, live: 0 },
      'missing-file': { code: 'FILE_NOT_FOUND', hasThreads: true, live: 0 },
      wider: { code: 'FINISHED', hasThreads: true, live: 0 },
      narrower: { code: 'FINISHED', hasThreads: true, live: 0 },
    });
  });
});
