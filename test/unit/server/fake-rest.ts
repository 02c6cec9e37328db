/** The REST interface of a dispatcher whose jobs run in no process, not listening. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.js';
import { nodeDisk } from '../../../src/base/node-disk.js';
import type { Health } from '../../../src/rest/cluster-schemas.js';
import { StatePages } from '../../../src/savepoint/state-pages.js';
import { BundleStore } from '../../../src/server/bundle-store.js';
import { ConsoleFiles } from '../../../src/server/console-files.js';
import type { Dispatcher } from '../../../src/server/dispatcher.js';
import { type HandlersWorld, handlersOf, textHandlersOf } from '../../../src/server/handlers.js';
import { httpServer } from '../../../src/server/http-server.js';
import { MeasuredServer } from '../../../src/server/measured-jobs.js';
import type { FakeWorld } from './fake-world.js';

export interface FakeRestOptions {
  readonly allowsUploads?: boolean;
  readonly allowsTaps?: boolean;
  readonly token?: string | null;
  /** Asked for at each request. */
  readonly health?: () => Health;
}

const LEADS: Health = { status: 'leader', epoch: 7, leader: 'http://localhost:8081' };

export function fakeRest(
  world: FakeWorld,
  dispatcher: Dispatcher,
  {
    allowsUploads = true,
    allowsTaps = true,
    token = null,
    health = () => LEADS,
  }: FakeRestOptions = {},
) {
  const pages = new StatePages(nodeDisk, systemClock);
  const bundles = new BundleStore(nodeDisk, join(world.directory, 'bundles'));
  const parts: HandlersWorld = {
    clock: world.clock,
    disk: nodeDisk,
    dispatcher,
    measuredServer: new MeasuredServer(dispatcher),
    bundles,
    states: {
      list: async (path) => pages.list(path),
      page: async (path, query) => pages.page(path, query),
    },
    showsRecords: allowsTaps,
    jobs: world.store,
    logs: world.logs,
    logDirectory: world.logDirectory,
    uploads: allowsUploads ? bundles : null,
    defaults: { layers: [], baseDirectory: world.directory },
    checkpointDirectory: join(world.directory, 'checkpoints'),
    version: '1.2.3',
    printed: () => 'It serves.\n',
    address: () => 'http://localhost:8081',
    shutDown: () => {},
  };
  const handlers = { ...handlersOf(parts), ...textHandlersOf(parts) };
  const served = { handlers, streamEvents: () => {}, streamTap: () => Promise.resolve() };
  const files = join(world.directory, 'console');
  mkdirSync(join(files, 'assets'), { recursive: true });
  writeFileSync(join(files, 'index.html'), '<!doctype html><title>Millrace</title>');
  writeFileSync(join(files, 'assets', 'main-1a2b.js'), 'export {};');
  const http = httpServer({
    served: () => (health().status === 'leader' ? served : null),
    health,
    guard: { hosts: [], token },
    version: '1.2.3',
    console: new ConsoleFiles(nodeDisk, files),
  });
  return { http, bundles };
}
