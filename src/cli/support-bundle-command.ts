/**
 * `millrace doctor --bundle`: writes the support bundle. Callers: `doctor-command.ts`. Runs on: the main thread.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import { formatBytes } from '../base/units.js';
import type { CommandContext } from './command-context.js';
import { SERVER_VARIABLE } from './config-environment.js';
import type { Check } from './doctor-checks.js';
import { settingsLayers } from './job-call.js';
import type { DoctorOptions } from './program.js';
import { serverClient } from './server-link.js';
import { supportFiles } from './support-bundle.js';
import { tarArchive } from './tar-archive.js';

/** Where a server keeps its jobs unless it is told otherwise. */
const DATA_DEFAULT = 'millrace-data';

/** Writes the bundle and tells of it. Throws FILE_UNWRITABLE. */
export async function supportBundleCommand(
  given: string,
  checks: readonly Check[],
  options: DoctorOptions,
  version: string,
  { json, stdout }: CommandContext,
): Promise<void> {
  const path = resolve(given);
  const asksServer = options.server !== undefined || Boolean(process.env[SERVER_VARIABLE]);
  const data = options.data ?? (existsSync(DATA_DEFAULT) ? DATA_DEFAULT : null);
  const files = await supportFiles({
    version,
    checks,
    environment: process.env,
    layers: () => settingsLayers(options, process.env, process.cwd()),
    client: asksServer ? await serverClient(options) : null,
    dataDirectory: data === null ? null : resolve(data),
  });
  const bytes = tarArchive(files, systemClock.epochMs());
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError('FILE_UNWRITABLE', `The bundle cannot be written: ${reason}`, {
      cause,
      where: { file: path },
    });
  }
  if (json !== null) {
    json.line('bundle', { path, bytes: bytes.byteLength, files: files.map(({ name }) => name) });
    return;
  }
  const size = formatBytes(bytes.byteLength);
  stdout.write(`\n${path} has ${files.length} files, ${size}. See what is in it before you `);
  stdout.write(`pass it on: tar -tzf ${given}\n`);
}
