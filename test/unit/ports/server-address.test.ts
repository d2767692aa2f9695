import { describe, expect, it } from 'vitest';
import { addressOf, credentialsOf } from '../../../resources/setup/lib/http-probe.js';
import { serverAddress, withoutCredentials } from '../../../src/main/ports/server-address';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

/** The set-up imports nothing from the program, so it has its own address parser. */
describe('the address of a server', () => {
  it.each([
    ['http://127.0.0.1:11434', 'http://127.0.0.1:11434', null],
    ['http://u:p@box:11434', 'http://box:11434', basic('u:p')],
    ['https://u@box/ollama', 'https://box/ollama', basic('u:')],
    ['http://:p@box', 'http://box', basic(':p')],
    ['http://%D0%B8:a%40b%2Fc@box', 'http://box', basic('и:a@b/c')],
    ['http://100%:%zz@box', 'http://box', basic('100%:%zz')],
  ])('%s is shown without user and password, which become a header', (given, url, authorization) => {
    expect(serverAddress(given)).toEqual({ url, authorization });
    const env = { OLLAMA_API_URL: given };
    expect(addressOf(env, 'OLLAMA_API_URL')).toBe(url);
    expect(credentialsOf(env, 'OLLAMA_API_URL')).toEqual(authorization === null ? {} : { authorization });
  });

  it('is shown without them wherever it is in a setting', () => {
    const rows = [{ id: 'studio', url: 'http://u:p@box:11434' }, null, 'http://u@box', 3];
    expect(withoutCredentials(rows)).toEqual([
      { id: 'studio', url: 'http://box:11434' },
      null,
      'http://box',
      3,
    ]);
  });
});
