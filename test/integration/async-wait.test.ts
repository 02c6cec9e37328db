/** Asynchronous functions in whole jobs: in this thread, in threads, in a process of its own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AsyncCall,
  type AsyncOptions,
  collectSink,
  type Flow,
  job,
  MillraceError,
  run,
  start,
} from 'millrace';
import { afterAll, describe, expect, it } from 'vitest';
import answers from '../fixtures/jobs/answers.mjs';

const root = mkdtempSync(join(tmpdir(), 'millrace-async-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Row {
  readonly id: number;
}
interface Answer extends Row {
  readonly attempt: number;
  readonly aborted: boolean;
  readonly subtask: number;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function readAnswers(directory: string): readonly Answer[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.ndjson'))
    .toSorted()
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').trim().split('\n'))
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Answer);
}

async function failure(build: (flow: Flow) => void): Promise<MillraceError> {
  const error = await run(job('fails', build)).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (MillraceError.is(error)) return error;
  throw new Error('The job did not fail with a coded error.', { cause: error });
}

const rows = (count: number): readonly Row[] => Array.from({ length: count }, (_, id) => ({ id }));

describe.each([
  ['in this thread', { parallelism: 1 }],
  ['in two threads', { parallelism: 2 }],
  ['in a process of its own', { parallelism: 2, isolate: 'process' }],
] as const)('a job %s', (name, options) => {
  it.each(['ordered', 'unordered'] as const)('answers for all rows, %s', async (order) => {
    const directory = join(root, `${name}-${order}`);
    await run(answers, { ...options, params: { rows: 300, order, capacity: 7, directory } });
    const found = readAnswers(directory);
    expect(found.toSorted((a, b) => a.id - b.id)).toEqual(
      rows(300).map(({ id }) => ({
        id,
        attempt: id % 5 === 0 ? 2 : 1,
        aborted: false,
        subtask: expect.any(Number) as number,
      })),
    );
    for (let subtask = 0; subtask < options.parallelism; subtask++) {
      const ids = found.filter((answer) => answer.subtask === subtask).map(({ id }) => id);
      expect(ids.length).toBeGreaterThan(0);
      const isSorted = ids.every((id, at) => at === 0 || ids[at - 1] < id);
      expect(isSorted).toBe(order === 'ordered');
    }
  });
});

describe('an asynchronous function', () => {
  it('gives any number of records as a generator', async () => {
    const sink = collectSink<{ id: number; copy: number }>();
    const copies = job('copies', (flow) => {
      flow
        .from(rows(4))
        .orderedWait(async function* ({ id }) {
          for (let copy = 0; copy < id; copy++) {
            await pause(1);
            yield { id, copy };
          }
        })
        .to(sink);
    });
    await run(copies);
    expect(sink.rows.map(({ id, copy }) => `${id}.${copy}`)).toEqual([
      '1.0',
      '2.0',
      '2.1',
      '3.0',
      '3.1',
      '3.2',
    ]);
  });

  it('has more time when onTimeout gives a result, and its signal is aborted', async () => {
    const sink = collectSink<{ id: number; late: boolean }>();
    const aborted: number[] = [];
    const late = job('late', (flow) => {
      flow
        .from(rows(6))
        .orderedWait(
          async ({ id }, { signal }) => {
            signal.addEventListener('abort', () => aborted.push(id));
            await (id % 2 === 0 ? pause(1) : new Promise(() => {}));
            return { id, late: false };
          },
          { timeout: 3000, onTimeout: ({ id }) => ({ id, late: true }) },
        )
        .to(sink);
    });
    await run(late);
    expect(sink.rows).toEqual(rows(6).map(({ id }) => ({ id, late: id % 2 === 1 })));
    expect(aborted).toEqual([1, 3, 5]);
  });

  it('is repeated as its strategy says, by failures and by results', async () => {
    const sink = collectSink<{ id: number; attempt: number }>();
    const delays: number[] = [];
    const repeated = job('repeated', (flow) => {
      flow
        .from(rows(3))
        .unorderedWait(async ({ id }, { attempt }) => ({ id, attempt }), {
          retry: {
            maxAttempts: 5,
            delay: (repetition) => {
              delays.push(repetition);
              return 1;
            },
            ifResult: ([{ id, attempt }]) => attempt <= id,
          },
        })
        .to(sink);
    });
    await run(repeated);
    expect(sink.rows.toSorted((a, b) => a.id - b.id)).toEqual([
      { id: 0, attempt: 1 },
      { id: 1, attempt: 2 },
      { id: 2, attempt: 3 },
    ]);
    expect(delays.toSorted()).toEqual([1, 1, 2]);
  });

  it('is canceled with its job: signals are aborted, the client is let go of', async () => {
    const report: string[] = [];
    const hanging = job('hanging', (flow) => {
      flow
        .from(rows(10))
        .unorderedWait(
          async ({ id }, { signal }) => {
            signal.addEventListener('abort', () => report.push(`${id} ${signal.reason.code}`));
            await new Promise(() => {});
            return { id };
          },
          {
            capacity: 3,
            timeout: 0,
            open: () => 'client',
            close: async (client) => {
              await pause(5);
              report.push(`closed ${client}`);
            },
          },
        )
        .to(collectSink());
    });
    const execution = await start(hanging);
    const inFlight = () => execution.metrics().vertices[1]?.subtasks[0]?.callsInFlight;
    await expect.poll(inFlight).toBe(3);
    execution.cancel();
    await expect(execution.finished).rejects.toMatchObject({ code: 'JOB_CANCELED' });
    expect(report).toEqual(['0 JOB_CANCELED', '1 JOB_CANCELED', '2 JOB_CANCELED', 'closed client']);
  });
});

it('says which calls hold event time back', async () => {
  const asking = job('asking', (flow) => {
    flow
      .from(Array.from({ length: 8 }, (_, at) => ({ at: at * 1000 })))
      .assignTimestamps('at')
      .orderedWait(
        async (row, { signal }) => {
          if (row.at === 5000) await new Promise((_, no) => signal.addEventListener('abort', no));
          return row;
        },
        { name: 'ask', timeout: 0 },
      )
      .to(collectSink());
  });
  const execution = await start(asking);
  execution.finished.catch(() => {});
  await expect
    .poll(() => execution.whyNoOutput().at(-1)?.sentence)
    .toMatch(/held back by subtask 0 \(3 calls under way, the oldest for \d.* s\) of "ask/);
  const [held] = execution.whyNoOutput().at(-1)?.heldBackBy ?? [];
  expect(held?.calls?.inFlight).toBe(3);
  expect(held?.calls?.oldestMs).toBeGreaterThan(900);
  execution.cancel();
  await expect(execution.finished).rejects.toMatchObject({ code: 'JOB_CANCELED' });
});

describe('failures', () => {
  const failing =
    (
      fn: (row: Row, call: AsyncCall<unknown>) => unknown,
      options: AsyncOptions<Row, unknown, unknown, never> = {},
    ) =>
    (flow: Flow) =>
      flow
        .from(rows(5))
        .orderedWait(fn as (row: Row, call: AsyncCall<unknown>) => Promise<unknown>, {
          uid: 'call',
          name: 'call',
          ...options,
        })
        .to(collectSink());

  it('of a call name the operator, the record, the attempt and the cause', async () => {
    const error = await failure(
      failing(
        async ({ id }) => {
          await pause(1);
          if (id === 3) throw new RangeError('too far');
          return { id };
        },
        { retry: { maxAttempts: 2, delay: 1 } },
      ),
    );
    expect(error.code).toBe('USER_FUNCTION_FAILED');
    expect(error.where).toMatchObject({ operator: 'call', uid: 'call', subtask: 0, record: 3 });
    expect(error.message).toBe(
      'The call of "call" for { id: 3 } failed with RangeError: too far, at attempt 3.',
    );
    expect(String(error.cause)).toContain('RangeError');
    expect(error.advice).toContain('async-wait.test.ts');
  });

  it('to answer in time are coded', async () => {
    const error = await failure(failing(() => new Promise(() => {}), { timeout: 20 }));
    expect(error).toMatchObject({ code: 'ASYNC_TIMEOUT', retryable: true, where: { record: 0 } });
    expect(error.message).toContain('was not answered within 20 ms');
  });

  it('of onTimeout to answer in time are, too', async () => {
    const onTimeout = (): Promise<never> => new Promise(() => {});
    const error = await failure(failing(() => new Promise(() => {}), { timeout: 20, onTimeout }));
    expect(error.code).toBe('ASYNC_TIMEOUT');
  });

  const wrong: readonly (readonly [string, () => unknown, string])[] = [
    ['nothing', (): void => {}, 'gave nothing where a promise'],
    ['a record', () => ({ id: 1 }), 'gave a value (object) where a promise'],
    ['a promise of nothing', async (): Promise<void> => {}, 'gave undefined'],
    [
      'a generator of undefined',
      async function* (): AsyncGenerator<undefined> {
        yield undefined;
      },
      'gave undefined',
    ],
  ];
  it.each(wrong)('to give a promise of a record, but %s, say so', async (_, fn, message) => {
    const error = await failure(failing(fn, { retry: { maxAttempts: 9, delay: '1h' } }));
    expect(error).toMatchObject({ code: 'USER_FUNCTION_FAILED', where: { operator: 'call' } });
    expect(error.message).toContain(message);
    expect(error.advice).toContain('async');
  });

  it.each(['open', 'close', 'ifException', 'ifResult', 'delay', 'onTimeout'])(
    'of %s name the operator',
    async (where) => {
      const oops = (): never => {
        throw new RangeError('oops');
      };
      const never = (): Promise<never> => new Promise(() => {});
      const rejects = async (): Promise<never> => {
        throw new Error('no');
      };
      const isFailing = where === 'ifException' || where === 'delay';
      const error = await failure(
        failing(
          where === 'onTimeout' ? never : isFailing ? rejects : async (row: Row) => row,
          where === 'open' || where === 'close'
            ? { open: async () => 1, [where]: async () => oops() }
            : where === 'onTimeout'
              ? { timeout: 10, onTimeout: oops }
              : { retry: { maxAttempts: 1, delay: 1, [where]: oops } },
        ),
      );
      expect(error).toMatchObject({ code: 'USER_FUNCTION_FAILED', where: { operator: 'call' } });
      expect(error.message).toContain('oops');
    },
  );

  it('of the engine to keep updates in order are refused', async () => {
    const error = await failure((flow) =>
      flow
        .from([...rows(3), ...rows(3)])
        .keyBy('id')
        .count({ emit: 'updates' })
        .unorderedWait(async (row) => row)
        .to(collectSink()),
    );
    expect(error.code).toBe('FEATURE_UNSUPPORTED');
    expect(error.advice).toContain('orderedWait');
  });
});
