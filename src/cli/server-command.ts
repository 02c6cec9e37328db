/**
 * `millrace server`: starts a server, says where it is, and waits until it is to end. Callers: `main.ts`. Runs on: the
 * main thread, which is the server's.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { parseBytes } from '../base/units.js';
import { entryUrl } from '../runtime/entry-url.js';
import type { SettingsLayer } from '../runtime/settings.js';
import type { KeptFiles } from '../server/rotating-file.js';
import type { Server, startServer } from '../server/server.js';
import { historyWithin, KEPT_LOGS, slotsWithin, whole } from '../server/server-bounds.js';
import type { CommandContext } from './command-context.js';
import { errorReport } from './error-report.js';
import { EXIT_FAILED, EXIT_OK } from './exit-codes.js';
import { settingsLayers } from './job-call.js';
import { printedEnd } from './printed-tail.js';
import type { ServerOptions } from './server-program.js';
import { serverToken } from './server-token.js';

const ADMISSIONS = ['queue', 'refuse', 'shrink'] as const;
const LOG_BYTES_MIN = 65_536;

/** Runs a server; the exit code. */
export async function serverCommand(
  options: ServerOptions,
  context: CommandContext,
  version: string,
): Promise<number> {
  const { json, stderr, style } = context;
  const layers = [
    ...(await settingsLayers(options, process.env, process.cwd())),
    ...availabilityLayers(options),
  ];
  const onDefect = (error: unknown): void => {
    if (json !== null) json.error(error);
    else stderr.write(`${errorReport(error, { style, plan: null, directory: process.cwd() })}\n`);
  };
  const entry: { readonly startServer: typeof startServer } = await import(entryUrl('server'));
  const server = await entry.startServer({
    host: options.host ?? '127.0.0.1',
    port: whole('--port', options.port, 0, 65_535) ?? 8081,
    dataDirectory: options.data ?? 'millrace-data',
    slots: slotsWithin('--slots', options.slots),
    admission: admissionOf(options.admission ?? 'queue'),
    allowsUploads: options.uploads === true,
    allowsTaps: options.taps !== false,
    token: serverToken(options.tokenFile, process.env),
    allowedHosts: options.allowHost ?? [],
    layers,
    logs: logsOf(options),
    endedMax: historyWithin('--history', options.history),
    version,
    printed: printedEnd,
    onDefect,
  });
  if (json !== null) json.line('server', { url: server.url, pid: process.pid });
  else stderr.write(`Millrace ${version} serves ${style.bold(server.url)}\n`);
  void server.leading.then((epoch) => {
    if (json !== null) json.line('leader', { epoch });
    else if (options.ha !== undefined) stderr.write(`It leads, with epoch ${epoch}.\n`);
  });
  try {
    await untilAsked(server);
    return EXIT_OK;
  } catch (error) {
    onDefect(error);
    return EXIT_FAILED;
  } finally {
    await server.close();
  }
}

/** The flags that are settings. */
function availabilityLayers(options: ServerOptions): readonly SettingsLayer[] {
  const given = [
    ['high-availability.type', '--ha', options.ha],
    ['high-availability.zookeeper.quorum', '--ha-quorum', options.haQuorum],
    ['high-availability.cluster-id', '--ha-cluster-id', options.haClusterId],
    ['rest.address', '--ha-address', options.haAddress],
  ] as const;
  return given.flatMap(([key, origin, value]) =>
    value === undefined ? [] : [{ origin, values: { [key]: value } }],
  );
}

/** Until somebody asks it to end, the second time at once. Rejects when it can go on no longer. */
function untilAsked({ closing }: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    closing.then(resolve, reject);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

/** How much of each log is kept. */
function logsOf({ logBytes = '8mb', logFiles }: ServerOptions): KeptFiles {
  const bytesMax = parseBytes(logBytes);
  if (bytesMax === null || bytesMax < LOG_BYTES_MIN) {
    throw new MillraceError(
      'OPTION_INVALID',
      `--log-bytes is ${JSON.stringify(logBytes)}; it must be a size from 64 KB, such as 8mb.`,
    );
  }
  return { bytesMax, files: whole('--log-files', logFiles, 1, 1000) ?? KEPT_LOGS.files };
}

function admissionOf(given: string): (typeof ADMISSIONS)[number] {
  const found = ADMISSIONS.find((one) => one === given);
  if (found !== undefined) return found;
  throw new MillraceError('OPTION_INVALID', `There is no admission "${given}".`, {
    advice: didYouMean(given, ADMISSIONS),
  });
}
