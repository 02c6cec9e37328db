import { describe, expect, it } from 'vitest';
import {
  layersOfJobs,
  layersOfServedJobs,
  serverSettings,
} from '../../../src/server/server-settings.js';

const layer = (values: Record<string, unknown>, origin = '-D') => ({ origin, values });

describe('settings of a server', () => {
  it('are taken from the last who says something, as their kind', () => {
    const settings = serverSettings([
      layer({ 'high-availability.type': 'lockfile', 'rest.address': 'http://a:1/' }),
      layer({ 'high-availability.lockfile.timeout': '2s', parallelism: 3 }),
      layer({ 'high-availability.lockfile.timeout': '500ms' }),
    ]);
    expect(settings).toMatchObject({
      'high-availability.type': 'lockfile',
      'high-availability.lockfile.timeout': 500,
      'high-availability.zookeeper.quorum': null,
      'rest.address': 'http://a:1',
    });
  });

  it.each([
    [{ 'high-availability.type': 'etcd' }, /none, lockfile, zookeeper/],
    [{ 'high-availability.type': 'zookeeper' }, /nothing says where ZooKeeper is/],
    [{ 'high-availability.lockfile.timeout': '1ms' }, /from 300 ms/],
    [{ 'rest.address': '10.0.0.7' }, /no address of a server/],
  ])('are refused when they are wrong: %o', (values, message) => {
    const read = () => serverSettings([layer(values)]);
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('are not for jobs, of which the server itself reports', () => {
    const values = { seed: 1, 'rest.address': 'http://a', 'metrics.reporter.p.type': 'log' };
    expect(layersOfJobs([layer(values)])).toEqual([
      layer({ seed: 1, 'metrics.reporter.p.type': 'log' }),
    ]);
    expect(layersOfServedJobs([layer(values)])).toEqual([layer({ seed: 1 })]);
  });
});
