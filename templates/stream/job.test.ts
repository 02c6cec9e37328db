import { runOnArrays } from 'millrace/testing';
import { expect, test } from 'vitest';
import sensors from './job.js';

interface Mean {
  sensor: number;
  windowStart: number;
  readings: number;
  celsius: number;
}

test('gives the mean of each sensor in each window', async () => {
  const at = (seconds: number) => new Date(seconds * 1000);
  const readings = [
    { sensor: 1, celsius: 20, at: at(1) },
    { sensor: 1, celsius: 22, at: at(9) },
    { sensor: 2, celsius: 18, at: at(4) },
    { sensor: 1, celsius: 30, at: at(12) },
  ];
  const run = await runOnArrays(sensors, { sources: { readings } });
  const means = run.records<Mean>('means').map((mean) => {
    return [mean.sensor, mean.windowStart, mean.readings, mean.celsius];
  });
  expect(means.toSorted()).toEqual([
    [1, 0, 2, 21],
    [1, 10_000, 1, 30],
    [2, 0, 1, 18],
  ]);
});
