import { describe, expect, it } from 'vitest';
import { readListenSettings } from '../../../src/main/core/listen-settings';

describe('readListenSettings', () => {
  it('uses the default ports on loopback when nothing is set', () => {
    expect(readListenSettings({ TANDEM_WEB_PORT: '', TANDEM_ALLOWED_HOSTS: ' ' })).toEqual({
      web: { host: '127.0.0.1', port: 11437 },
      gateway: { host: '127.0.0.1', port: 11436 },
      mlxApi: { host: '127.0.0.1', port: 11435 },
      allowedHosts: [],
      allowedOrigins: [],
      warnings: [],
    });
  });

  it('uses the given values', () => {
    const given = readListenSettings({
      TANDEM_WEB_HOST: '0.0.0.0',
      TANDEM_WEB_PORT: '0',
      TANDEM_GATEWAY_HOST: '::1',
      TANDEM_GATEWAY_PORT: ' 65535 ',
      TANDEM_MLX_API_HOST: 'localhost',
      TANDEM_ALLOWED_HOSTS: 'studio.local, studio.local:11436,[fd00::1]:80',
      TANDEM_ALLOWED_ORIGINS: 'https://studio.local/, app://obsidian.md,http://localhost:3000',
    });
    expect(given).toMatchObject({
      web: { host: '0.0.0.0', port: 0 },
      gateway: { host: '::1', port: 65_535 },
      mlxApi: { host: 'localhost' },
      allowedHosts: ['studio.local', 'studio.local:11436', '[fd00::1]:80'],
      allowedOrigins: ['https://studio.local/', 'app://obsidian.md', 'http://localhost:3000'],
      warnings: [],
    });
  });

  it.each([
    ['TANDEM_WEB_PORT', '65536'],
    ['TANDEM_WEB_PORT', '-1'],
    ['TANDEM_WEB_PORT', '80.5'],
    ['TANDEM_WEB_PORT', '0x50'],
    ['TANDEM_GATEWAY_HOST', 'http://127.0.0.1'],
    ['TANDEM_GATEWAY_HOST', '-x'],
    ['TANDEM_ALLOWED_HOSTS', '*'],
    ['TANDEM_ALLOWED_ORIGINS', 'https://a.example/path'],
    ['TANDEM_ALLOWED_ORIGINS', 'null'],
  ])('%s=%s is reported and the default applies', (name, value) => {
    const { warnings, ...rest } = readListenSettings({ [name]: value });
    expect(warnings).toEqual([
      {
        code: 'environment_invalid',
        message: expect.stringMatching(`^${name} was not understood and is ignored. Accepted: .+\\.$`),
        details: expect.objectContaining({ name, accepted: expect.any(String) }),
      },
    ]);
    expect({ ...rest, warnings: [] }).toEqual(readListenSettings({}));
  });

  it.each([
    [
      'TANDEM_ALLOWED_HOSTS',
      'allowedHosts',
      'good.local, http://bad.local/',
      'good.local',
      'http://bad.local/',
    ],
    ['TANDEM_ALLOWED_ORIGINS', 'allowedOrigins', 'null,https://good.local', 'https://good.local', 'null'],
  ] as const)('%s keeps its good entries and reports the bad one', (name, key, text, good, bad) => {
    const read = readListenSettings({ [name]: text });
    expect(read[key]).toEqual([good]);
    expect(read.warnings).toEqual([
      {
        code: 'environment_invalid',
        message: expect.stringMatching(
          `^${name} was not understood in one entry, and "${bad}" is ignored. Accepted: `,
        ),
        details: expect.objectContaining({ name, entry: bad }),
      },
    ]);
  });
});
