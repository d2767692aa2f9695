import { describe, expect, it } from 'vitest';
import { bindFailure, listenerInodes, parseLsof, programName } from '../../../src/main/ports/port-holder';

/** Synthetic, in the format of the kernel's table: 0x2CAC is 11436; 0A is LISTEN, 01 is ESTABLISHED. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2CAC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000
   1: 0100007F:2CAC 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000
   2: 0100007F:2CAD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000
`;

describe('the program that uses a port', () => {
  it('is the one whose socket listens, not one that is connected', () => {
    expect(listenerInodes(TABLE, 11436)).toEqual(['4711']);
    expect(listenerInodes(TABLE, 80)).toEqual([]);
  });

  it('is named by its program, not by its main thread', () => {
    expect(programName('/usr/local/bin/node\0server.js\0', 'MainThread\n')).toBe('node');
    expect(programName('', 'nginx\n')).toBe('nginx');
  });

  it('is the first process that lsof names', () => {
    expect(parseLsof('p501\ncollama\nf3\np502\ncnginx\nf6\n')).toEqual({ pid: 501, name: 'ollama' });
    expect(parseLsof('')).toBeNull();
  });
});

describe('bindFailure', () => {
  const named = (code: string) =>
    bindFailure(Object.assign(new Error(code), { code }), 80, '::1', 'TANDEM_WEB_PORT');

  it.each([
    ['EACCES', 'Port 80 may not be opened by this user. Choose one above 1023 with TANDEM_WEB_PORT.'],
    [
      'EADDRNOTAVAIL',
      '::1 is no address of this machine. Use 127.0.0.1, or set TANDEM_WEB_HOST to one that is.',
    ],
  ])('describes %s in plain words', (code, message) => {
    expect(named(code)).toMatchObject({ code: 'environment_invalid', message });
  });

  it('leaves an unknown error unchanged', () => {
    expect(named('EMFILE')).toMatchObject({ code: 'EMFILE' });
  });
});
