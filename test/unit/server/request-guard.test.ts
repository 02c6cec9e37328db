import { describe, expect, it } from 'vitest';
import { type GuardedHeaders, guardRequest } from '../../../src/server/request-guard.js';

const pass =
  (headers: GuardedHeaders, token: string | null = null) =>
  () =>
    guardRequest(headers, { hosts: ['box.example'], token });
const forbidden = expect.objectContaining({ code: 'REQUEST_FORBIDDEN' });

describe('guardRequest', () => {
  it.each([
    'localhost:8081',
    '127.0.0.1:8081',
    '[::1]:8081',
    '10.1.2.3',
    'box.example',
    'BOX.example:1',
  ])('may be called %s', (host) => expect(pass({ host })).not.toThrow());

  it.each([
    'evil.example',
    'evil.example:8081',
    '',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
  ])('may not be called %j', (host) => expect(pass({ host })).toThrow(forbidden));

  it('answers its own pages only', () => {
    const host = 'localhost:8081';
    expect(pass({ host, origin: 'http://localhost:8081' })).not.toThrow();
    for (const origin of ['http://evil.example', 'http://localhost:3000', 'null', 'file://']) {
      expect(pass({ host, origin })).toThrow(forbidden);
    }
  });

  it('asks for the token where there is one', () => {
    const host = 'localhost';
    expect(pass({ host, authorization: 'Bearer secret' }, 'secret')).not.toThrow();
    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer wrong',
      'Basic secret',
      'secret',
    ]) {
      expect(pass({ host, authorization }, 'secret')).toThrow(forbidden);
    }
  });
});
