import { expect, it } from 'vitest';
import { Guesses } from '../../../src/main/web/guesses';
import { FakeClock } from '../../support/fake-clock';

function guesses() {
  const table = new Guesses(new FakeClock());
  const guess = (address: string, times: number) => {
    for (let count = 0; count < times; count += 1) table.wrong(address, `${address} ${count}`);
  };
  return { table, guess };
}

it('each address waits only for its own guesses', () => {
  const { table, guess } = guesses();
  guess('192.0.2.1', 6);
  expect([table.waitS('192.0.2.1'), table.waitS('192.0.2.2')]).toEqual([2, 0]);
});

it('the addresses of one IPv6 network wait together', () => {
  const { table, guess } = guesses();
  for (const address of ['2001:db8:0:1::1', '2001:db8::1:2:3:4:5', '2001:db8:0:1:ffff::']) guess(address, 2);
  expect(table.waitS('2001:db8:0:1:9:9:9:9')).toBe(2);
  expect(table.waitS('2001:db8:0:2::1')).toBe(0);
});

it('remembers a thousand addresses at most', () => {
  const { table, guess } = guesses();
  guess('192.0.2.1', 5);
  for (let host = 0; host < 1000; host += 1) guess(`10.0.${host >> 8}.${host & 255}`, 1);
  expect(table.waitS('192.0.2.1')).toBe(0);
});
