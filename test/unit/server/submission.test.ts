import { describe, expect, it } from 'vitest';
import {
  parsedArguments,
  path,
  submissionAgain,
  submissionOf,
} from '../../../src/server/submission.js';

const defaults = {
  layers: [{ origin: 'server', values: { parallelism: 1, 'slot.memory': '64mb' } }],
  baseDirectory: '/base',
};
const submit = (request: Parameters<typeof submissionOf>[1]) =>
  submissionOf('job.mjs', request, defaults, 7);

describe('submissionOf', () => {
  it('puts what was asked for over the settings of the server', () => {
    const { settings, params, baseDirectory, jobName } = submit({
      entryClass: 'daily',
      parallelism: 3,
      programArgsList: ['--days', '7', 'city=Lima'],
      params: { days: 8 },
      flinkConfiguration: { 'slot.memory': '128mb', parallelism: '2' },
      savepointPath: 'file:///a/savepoint-1',
      allowNonRestoredState: true,
    });
    expect(jobName).toBe('daily');
    expect(params).toEqual({ days: 8, city: 'Lima' });
    expect(baseDirectory).toBe('/base');
    expect(settings).toMatchObject({
      parallelism: 3,
      'slot.memory': 128 * 1024 ** 2,
      'execution.stateRecovery.path': '/a/savepoint-1',
      'execution.stateRecovery.ignoreUnclaimedState': true,
    });
    expect(submit({}).settings.parallelism).toBe(1);
  });

  it('has a job run again as it was, but for what is asked for and what it went on from', () => {
    const earlier = submit({
      entryClass: 'daily',
      parallelism: 3,
      params: { days: 8, city: 'Lima' },
      flinkConfiguration: {
        'execution.checkpointing.interval': '10s',
        'execution.checkpointing.unaligned.enabled': 'true',
      },
      savepointPath: '/a/savepoint-1',
      claimMode: 'CLAIM',
      allowNonRestoredState: true,
      baseDirectory: '/elsewhere',
    });
    const { settings, submittedMs, ...rest } = submissionAgain(
      earlier,
      { params: { days: 9 }, flinkConfiguration: { 'slot.memory': '128mb' } },
      9,
    );
    const { settings: before } = earlier;
    expect(submittedMs).toBe(9);
    expect(rest).toEqual({
      bundle: 'job.mjs',
      jobName: 'daily',
      params: { days: 9, city: 'Lima' },
      baseDirectory: '/elsewhere',
    });
    expect(settings).toEqual({
      ...before,
      'slot.memory': 128 * 1024 ** 2,
      'execution.stateRecovery.path': null,
      'execution.stateRecovery.claimMode': submit({}).settings['execution.stateRecovery.claimMode'],
      'execution.stateRecovery.ignoreUnclaimedState': false,
    });
    const again = submissionAgain(earlier, { savepointPath: '/b', parallelism: 5 }, 9);
    expect(again.settings).toMatchObject({ 'execution.stateRecovery.path': '/b', parallelism: 5 });
  });

  it('refuses what means nothing here', () => {
    const refused = (code: string) => expect.objectContaining({ code });
    expect(() => submit({ flinkConfiguration: { paralellism: '2' } })).toThrow(
      refused('OPTION_UNKNOWN'),
    );
    expect(() => submit({ savepointPath: 'latest' })).toThrow(refused('OPTION_INVALID'));
    expect(() => submit({ baseDirectory: 'somewhere' })).toThrow(refused('OPTION_INVALID'));
    expect(() => path('file://elsewhere/a')).toThrow(refused('OPTION_INVALID'));
  });
});

describe('parsedArguments', () => {
  it.each([
    [['--a', '1', '--b=x=y', 'c=[2]'], { a: 1, b: 'x=y', c: [2] }],
    [[], {}],
    [['-a', '-1'], { a: -1 }],
  ])('%j', (words, params) => expect(parsedArguments(words)).toEqual(params));

  it.each([[['--a']], [['a']], [['--', 'x']]])('refuses %j', (words) =>
    expect(() => parsedArguments(words)).toThrow(/is no parameter/),
  );
});
