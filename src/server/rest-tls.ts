/**
 * TLS of the REST interface, from the settings `security.ssl.rest.*`. Callers: `server.ts`. Runs on: the server's
 * thread, once, before it listens.
 */
import { resolve } from 'node:path';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { readContent } from '../checkpoint/file-content.js';
import type { ServerSettings } from './server-settings.js';

/** What a server needs that speaks TLS, as Node.js takes it. */
export interface RestTls {
  readonly key?: Buffer;
  readonly cert?: Buffer;
  /** Key and certificate in one, as PKCS#12. */
  readonly pfx?: Buffer;
  readonly passphrase?: string;
  /** Who has signed the certificates of clients. */
  readonly ca?: Buffer;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

/** Null where it is not asked for. Throws OPTION_INVALID and FILE_UNREADABLE. */
export function restTls(settings: ServerSettings, disk: Disk): RestTls | null {
  if (!settings['security.ssl.rest.enabled']) return null;
  const file = (key: `security.ssl.rest.${'key' | 'certificate' | 'keystore' | 'truststore'}`) =>
    fileOf(disk, key, settings[key]);
  const [key, cert] = [file('security.ssl.rest.key'), file('security.ssl.rest.certificate')];
  const [pfx, ca] = [file('security.ssl.rest.keystore'), file('security.ssl.rest.truststore')];
  const isPair = key !== null && cert !== null && pfx === null;
  const isStore = pfx !== null && key === null && cert === null;
  if (!isPair && !isStore) {
    throw new MillraceError('OPTION_INVALID', 'The server has no key with a certificate for TLS.', {
      advice:
        'Set security.ssl.rest.key and security.ssl.rest.certificate to files of PEM, or ' +
        'security.ssl.rest.keystore to one of PKCS#12, and not both.',
    });
  }
  const asksClients = settings['security.ssl.rest.authentication-enabled'];
  if (asksClients && ca === null) {
    throw new MillraceError(
      'OPTION_INVALID',
      'The server is to ask clients for certificates, and trusts nobody to have signed them.',
      { advice: 'Set security.ssl.rest.truststore to a file of PEM.' },
    );
  }
  const passphrase = settings['security.ssl.rest.key-password'];
  return {
    ...(key === null || cert === null ? {} : { key, cert }),
    ...(pfx === null ? {} : { pfx }),
    ...(ca === null ? {} : { ca }),
    ...(passphrase === null ? {} : { passphrase }),
    requestCert: asksClients,
    rejectUnauthorized: asksClients,
  };
}

/** Key and certificate cannot be used. */
export function tlsInvalid(cause: unknown): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError(
    'OPTION_INVALID',
    `Key and certificate of security.ssl.rest cannot be used: ${reason}.`,
    { cause, advice: 'Check that they belong together, and security.ssl.rest.key-password.' },
  );
}

function fileOf(disk: Disk, setting: string, path: string | null): Buffer | null {
  if (path === null) return null;
  const file = resolve(path);
  const content = readContent(disk, file);
  if (content !== null) return Buffer.from(content);
  throw new MillraceError('FILE_UNREADABLE', `There is no file for ${setting}.`, {
    where: { file },
  });
}
