import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { job } from '../../../src/api/job.js';
import { settingsOf } from '../../../src/api/run-options.js';
import { MillraceError } from '../../../src/base/errors.js';
import { systemClock } from '../../../src/base/clock.js';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { collection } from '../../../src/connector/collection/collection.js';
import type {
  SinkConnector,
  SinkWriter,
  SourceConnector,
} from '../../../src/connector/contract.js';
import { defineSource } from '../../../src/connector/custom/define-source.js';
import type { ExecutionEvent, JobExecution } from '../../../src/runtime/execution.js';
import { startRun } from '../../../src/runtime/start-run.js';

/** What a sink was asked to do, in order. */
interface Watched {
  readonly log: string[];
  readonly sink: SinkConnector;
}

function watchedSink(
  parts: Partial<SinkConnector> & { writer?: Partial<SinkWriter> } = {},
): Watched {
  const log: string[] = [];
  const { writer: own = {}, ...connector } = parts;
  const writer: SinkWriter = {
    bytesWritten: 0,
    write: (batch, fromRow) => batch.rows - fromRow,
    flush: () => true,
    prepareCommit: () => ['all'],
    close: () => log.push('close'),
    ...own,
  };
  const sink: SinkConnector = {
    kind: 'sink',
    type: 'watched',
    name: 'watched',
    host: false,
    parallelism: null,
    guarantee: 'exactly-once',
    columns: null,
    plan: () => null,
    open: () => writer,
    commit: (committables) => {
      log.push(`commit ${committables.join()}`);
    },
    abort: () => {
      log.push('abort');
    },
    ...connector,
  };
  return { log, sink };
}

const endless = defineSource<{ v: number }>({
  name: 'endless',
  bounded: false,
  *read() {
    for (let v = 0; ; v++) yield { v };
  },
});

function begin(
  source: SourceConnector<{ v: number }>,
  sink: SinkConnector,
  signal: AbortSignal | null = null,
): Promise<JobExecution> {
  const definition = job('watched', (flow) => {
    flow.from(source, { name: 'source', uid: 'source' }).to(sink, { name: 'sink', uid: 'sink' });
  });
  return startRun({
    job: definition,
    params: undefined,
    settings: settingsOf({ runtime: 'in-thread' }),
    baseDirectory: '/',
    signal,
    world: { clock: systemClock, disk: nodeDisk, shuffle: null },
  });
}

async function failureOf(promise: Promise<unknown>): Promise<MillraceError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (MillraceError.is(thrown)) return thrown;
  throw new Error(`It did not fail with a coded error: ${String(thrown)}`);
}

async function statesOf(execution: JobExecution): Promise<string[]> {
  const events: ExecutionEvent[] = [];
  for await (const event of execution.events()) events.push(event);
  return events.flatMap((event) => (event.type === 'state' ? [event.state] : []));
}

const three = () => collection([{ v: 1 }, { v: 2 }, { v: 3 }]);

describe('the end of an execution', () => {
  it('is announced after the sinks were committed', async () => {
    let stateInCommit = '';
    const holder: { execution: JobExecution | null } = { execution: null };
    const { sink } = watchedSink({
      commit: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        stateInCommit = holder.execution?.state ?? '';
      },
    });
    const execution = await begin(three(), sink);
    holder.execution = execution;
    const states = await statesOf(execution);
    await execution.finished;
    expect(stateInCommit).toBe('RUNNING');
    expect(states).toEqual(['RUNNING', 'FINISHED']);
    expect(execution.state).toBe('FINISHED');
  });

  it('is a failure when a sink cannot be committed, and never looked like another end', async () => {
    const { sink } = watchedSink({
      commit: () => {
        throw new Error('the bucket is gone');
      },
    });
    const execution = await begin(three(), sink);
    const states = await statesOf(execution);
    const error = await failureOf(execution.finished);
    expect(error.code).toBe('SINK_FAILED');
    expect(error.message).toContain('the bucket is gone');
    expect(error.where).toMatchObject({ job: 'watched', operator: 'sink' });
    expect(states).toEqual(['RUNNING', 'FAILED']);
  });

  it('comes when a record has failed the job as often as it may', async () => {
    const execution = await startRun({
      job: job('poisoned', (flow) => {
        flow
          .from(three())
          .map(
            ({ v }) => {
              if (v === 2) throw new Error('cannot bear 2');
              return { v };
            },
            { name: 'fragile' },
          )
          .to(watchedSink().sink);
      }),
      params: undefined,
      settings: settingsOf({
        settings: {
          'execution.checkpointing.interval': '1h',
          'restartStrategy.type': 'fixedDelay',
          'restartStrategy.fixedDelay.attempts': 100,
          'restartStrategy.fixedDelay.delay': 0,
          'restartStrategy.sameRecordFailures': 3,
        },
      }),
      baseDirectory: '/',
      signal: null,
      world: { clock: systemClock, disk: nodeDisk, shuffle: null },
    });
    const error = await failureOf(execution.finished);
    expect(error.code).toBe('RECORD_FAILED_REPEATEDLY');
    expect(error.message).toContain('cannot bear 2');
    expect(error.where).toMatchObject({ operator: 'fragile', record: 1 });
    expect(execution.restarts).toBe(2);
  });

  it('does not run a part again that had finished before the checkpoint', async () => {
    const calls = { finite: 0, restarts: false };
    const seen: number[] = [];
    const sink = (name: string) =>
      watchedSink({
        writer: {
          write: (batch, fromRow) => {
            if (name === 'finite') seen.push(batch.rows - fromRow);
            return batch.rows - fromRow;
          },
        },
      }).sink;
    const execution = await startRun({
      job: job('two-parts', (flow) => {
        flow
          .from(three(), { uid: 'finite' })
          .map((record) => {
            calls.finite++;
            return record;
          })
          .to(sink('finite'), { uid: 'finite-sink' });
        flow
          .from(endless, { uid: 'endless' })
          .map((record) => {
            if (!calls.restarts) return record;
            calls.restarts = false;
            throw new Error('as planned');
          })
          .to(sink('endless'), { uid: 'endless-sink' });
      }),
      params: undefined,
      settings: settingsOf({
        settings: {
          'execution.checkpointing.interval': '10ms',
          'restartStrategy.type': 'fixedDelay',
          'restartStrategy.fixedDelay.delay': 0,
        },
      }),
      baseDirectory: '/',
      signal: null,
      world: { clock: systemClock, disk: nodeDisk, shuffle: null },
    });
    const isDone = () =>
      execution.metrics().vertices[0].subtasks.every(({ state }) => state === 'FINISHED');
    let completed = 0;
    for await (const event of execution.events()) {
      if (event.type === 'restored') break;
      if (event.type !== 'checkpoint' || event.report.status !== 'completed' || !isDone()) continue;
      // The first may have begun before.
      if (++completed === 2) calls.restarts = true;
    }
    for await (const event of execution.events()) {
      if (event.type === 'checkpoint' && event.report.status === 'completed') break;
    }
    expect(execution.restarts).toBe(1);
    expect(calls.finite).toBe(3);
    expect(seen.reduce((sum, rows) => sum + rows, 0)).toBe(3);
    await execution.stop();
  });

  it('is no reason to wait for a checkpoint that nobody takes while the job is restarting', async () => {
    const execution = await startRun({
      job: job('restarting', (flow) => {
        flow
          .from(three())
          .map(({ v }) => {
            if (v === 2) throw new Error('cannot bear 2');
            return { v };
          })
          .to(watchedSink().sink);
      }),
      params: undefined,
      settings: settingsOf({
        settings: {
          'execution.checkpointing.interval': '1h',
          'restartStrategy.type': 'fixedDelay',
          'restartStrategy.fixedDelay.delay': '1h',
        },
      }),
      baseDirectory: '/',
      signal: null,
      world: { clock: systemClock, disk: nodeDisk, shuffle: null },
    });
    for await (const event of execution.events()) if (event.type === 'restart') break;
    expect(execution.state).toBe('RESTARTING');
    for (const asked of [
      execution.checkpoint(),
      execution.savepoint({ directory: '/saved' }),
      execution.savepoint({ directory: '/saved', stop: 'suspend' }),
    ]) {
      const error = await failureOf(asked);
      expect(error.code).toBe('CHECKPOINT_FAILED');
      expect(error.message).toContain('the job is restarting');
    }
    expect(await failureOf(execution.rescale(2))).toMatchObject({ code: 'RESCALE_FAILED' });
    execution.cancel();
    expect(await failureOf(execution.finished)).toMatchObject({ code: 'JOB_CANCELED' });
  });

  it('keeps the first failure when cleaning up after it fails too', async () => {
    const { sink } = watchedSink({
      abort: () => {
        throw new Error('cannot remove');
      },
      writer: {
        write: () => {
          throw new MillraceError('SINK_FAILED', 'disk full');
        },
      },
    });
    const execution = await begin(three(), sink);
    const error = await failureOf(execution.finished);
    expect(error.message).toContain('disk full');
    expect(error.message).toContain('cannot remove');
    expect(error.where).toMatchObject({ operator: 'sink' });
    expect(execution.state).toBe('FAILED');
  });
});

describe('errors of connectors', () => {
  const broken = (): never => {
    throw new TypeError('not what it was');
  };

  it('are failures of the source or the sink, wherever they are thrown', async () => {
    const source = (parts: Partial<SourceConnector<{ v: number }>>) => ({ ...three(), ...parts });
    const reader = (parts: object) => ({
      open: () => ({
        batch: null,
        bytesRead: 0,
        addSplit: () => {},
        poll: () => 1 as const,
        positions: () => [],
        close: () => {},
        ...parts,
      }),
    });
    const sink = (writer: Partial<SinkWriter>): SinkConnector => watchedSink({ writer }).sink;
    const cases: readonly [string, SourceConnector<{ v: number }>, SinkConnector][] = [
      ['SOURCE_FAILED', source({ open: broken }), watchedSink().sink],
      ['SOURCE_FAILED', source(reader({ poll: broken })), watchedSink().sink],
      ['SINK_FAILED', three(), watchedSink({ open: broken }).sink],
      ['SINK_FAILED', three(), sink({ write: broken })],
      ['SINK_FAILED', three(), sink({ flush: broken })],
      ['SINK_FAILED', three(), sink({ prepareCommit: broken })],
    ];
    for (const [code, from, to] of cases) {
      const error = await failureOf(begin(from, to).then((execution) => execution.finished));
      expect(error.code).toBe(code);
      expect(error.message).toContain('not what it was');
      expect(error.where.job).toBe('watched');
      expect(error.where.operator).toBeTypeOf('string');
      expect(error.cause).toBeInstanceOf(Error);
    }
  });

  it('reject the start when they are thrown while planning, and what was planned is cleaned up', async () => {
    const first = watchedSink();
    const second = watchedSink({ plan: broken });
    const definition = job('two sinks', (flow) => {
      const stream = flow.from(three());
      stream.to(first.sink, { uid: 'first' });
      stream.to(second.sink, { uid: 'second' });
    });
    const error = await failureOf(
      startRun({
        job: definition,
        params: undefined,
        settings: settingsOf({ runtime: 'in-thread' }),
        baseDirectory: '/',
        signal: null,
      }),
    );
    expect(error.code).toBe('SINK_FAILED');
    expect(error.where.job).toBe('two sinks');
    expect(first.log).toEqual(['abort']);
    expect(second.log).toEqual([]);
  });
});

describe('canceling and stopping', () => {
  it('right after the start ends the job without a commit', async () => {
    const { sink, log } = watchedSink();
    const execution = await begin(endless, sink);
    execution.cancel();
    execution.cancel();
    expect((await failureOf(execution.finished)).code).toBe('JOB_CANCELED');
    expect(execution.state).toBe('CANCELED');
    expect(log).toEqual(['close', 'abort']);
  });

  it('by a signal that was aborted before, or while the job was planned', async () => {
    const aborted = watchedSink();
    const execution = await begin(endless, aborted.sink, AbortSignal.abort());
    expect((await failureOf(execution.finished)).code).toBe('JOB_CANCELED');
    expect(aborted.log).toEqual(['close', 'abort']);

    const controller = new AbortController();
    const planning = watchedSink({
      plan: async () => {
        controller.abort();
        await new Promise((resolve) => setTimeout(resolve, 5));
        return null;
      },
    });
    const second = await begin(endless, planning.sink, controller.signal);
    expect((await failureOf(second.finished)).code).toBe('JOB_CANCELED');
    expect(planning.log).toEqual(['close', 'abort']);
  });

  it('leaves no listener on the signal, however the job ended', async () => {
    const controller = new AbortController();
    const listeners = (): number => getEventListeners(controller.signal, 'abort').length;
    const done = await begin(three(), watchedSink().sink, controller.signal);
    expect(listeners()).toBe(1);
    await done.finished;
    expect(listeners()).toBe(0);
    const canceled = await begin(endless, watchedSink().sink, controller.signal);
    canceled.cancel();
    await canceled.finished.catch(() => {});
    expect(listeners()).toBe(0);
  });

  it('during the commit comes too late', async () => {
    const holder: { execution: JobExecution | null } = { execution: null };
    const { sink, log } = watchedSink({
      commit: async () => {
        holder.execution?.cancel();
        await new Promise((resolve) => setTimeout(resolve, 5));
        holder.execution?.cancel();
        log.push('committed');
      },
    });
    holder.execution = await begin(three(), sink);
    expect((await holder.execution.finished).state).toBe('FINISHED');
    expect(log).toEqual(['close', 'committed']);
  });

  it('while the last rows are handed over cancels', async () => {
    const holder: { execution: JobExecution | null } = { execution: null };
    const { sink, log } = watchedSink({
      writer: {
        prepareCommit: () => {
          holder.execution?.cancel();
          return [];
        },
      },
    });
    holder.execution = await begin(three(), sink);
    const outcome = await holder.execution.finished.then(
      () => 'finished',
      (error: MillraceError) => error.code,
    );
    expect(outcome).toBe('JOB_CANCELED');
    expect(log).not.toContain('commit all');
  });

  it('after the end changes nothing', async () => {
    const execution = await begin(three(), watchedSink().sink);
    const result = await execution.finished;
    execution.cancel();
    expect(await execution.stop()).toBe(result);
    expect(await execution.stop({ drain: true })).toBe(result);
    expect(execution.state).toBe('FINISHED');
    expect(await statesOf(execution)).toEqual([]);

    const failed = await begin(endless, watchedSink().sink);
    failed.cancel();
    await failed.finished.catch(() => {});
    expect((await failureOf(failed.stop())).code).toBe('JOB_CANCELED');
  });

  it('by stop ends an endless job in order, also right after the start and twice', async () => {
    for (const drain of [false, true]) {
      const { sink, log } = watchedSink();
      const execution = await begin(endless, sink);
      const [first, second] = await Promise.all([execution.stop({ drain }), execution.stop()]);
      expect(first).toBe(second);
      expect(log).toEqual(['close', 'commit all']);
    }
  });

  it('after a stop still cancels a job that does not come to its end', async () => {
    const { sink } = watchedSink({ writer: { write: () => 0 } });
    const execution = await begin(endless, sink);
    setTimeout(() => void execution.stop().catch(() => {}), 10);
    setTimeout(() => execution.cancel(), 30);
    expect((await failureOf(execution.finished)).code).toBe('JOB_CANCELED');
  });
});
