/**
 * The election that the settings ask for. Callers: `server.ts`. Runs on: the server's thread.
 */
import type { Disk } from '../../base/disk.js';
import type { ServerSettings } from '../server-settings.js';
import type { Election } from './election.js';
import { LockfileElection } from './lockfile-election.js';
import { ZooKeeperElection } from './zookeeper-election.js';

/** The election, not yet begun. */
export function electionOf(settings: ServerSettings, disk: Disk, dataDirectory: string): Election {
  const quorum = settings['high-availability.zookeeper.quorum'];
  if (settings['high-availability.type'] === 'zookeeper' && quorum !== null) {
    return new ZooKeeperElection({
      disk,
      dataDirectory,
      quorum,
      path: pathOf(
        settings['high-availability.zookeeper.path.root'],
        settings['high-availability.cluster-id'],
      ),
      sessionTimeoutMs: settings['high-availability.zookeeper.client.session-timeout'],
      connectionTimeoutMs: settings['high-availability.zookeeper.client.connection-timeout'],
    });
  }
  return new LockfileElection({
    disk,
    dataDirectory,
    timeoutMs: settings['high-availability.lockfile.timeout'],
    standsBy: settings['high-availability.type'] !== 'none',
  });
}

/** Written with slashes or without. */
function pathOf(...parts: readonly string[]): string {
  return parts
    .flatMap((part) => part.split('/'))
    .filter((name) => name !== '')
    .map((name) => `/${name}`)
    .join('');
}
