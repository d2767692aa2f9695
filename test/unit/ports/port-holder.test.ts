import { describe, expect, it } from 'vitest';
import { listenerInodes, parseLsof } from '../../../src/main/ports/port-holder';

/** Synthetic, in the form of the kernel's table: 0x2CAC is 11436; 0A is LISTEN, 01 is ESTABLISHED. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2CAC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000
   1: 0100007F:2CAC 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000
   2: 0100007F:2CAD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000
`;

describe('the holder of a port', () => {
  it('is the socket that listens, not one that is connected', () => {
    expect(listenerInodes(TABLE, 11436)).toEqual(['4711']);
    expect(listenerInodes(TABLE, 80)).toEqual([]);
  });

  it('is the first process that lsof names', () => {
    expect(parseLsof('p501\ncollama\nf3\np502\ncnginx\nf6\n')).toEqual({ pid: 501, name: 'ollama' });
    expect(parseLsof('')).toBeNull();
  });
});
