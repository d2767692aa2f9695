import type { CallInput, CallName, CallOutput, Envelope, Snapshot } from '../../src/shared/contract';

/** A client for the contract over the web host: speaks as the page does, without a browser. */
export interface ContractClient {
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<Envelope<CallOutput<N>>>;
  /** The result of a call that must succeed. */
  value<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>>;
  snapshot(): Promise<Snapshot>;
  /** Opens one WebSocket at `/api/push?ticket=…`. */
  ticket(): Promise<string>;
}

/** Exchanges the token in the printed UI address for a session. */
export async function connect(address: string): Promise<ContractClient> {
  const { origin, searchParams } = new URL(address);
  const post = async (path: string, body: unknown, authorization?: string) => {
    const response = await fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
      body: JSON.stringify(body),
    });
    return response.json();
  };
  const { session } = (await post('/api/session', { token: searchParams.get('token') })) as {
    session: string;
  };
  const client: ContractClient = {
    call: (name, input) => post(`/api/call/${name}`, input, `Bearer ${session}`) as never,
    async value(name, input) {
      const outcome = await client.call(name, input);
      if (!outcome.ok) throw new Error(`${name}: ${outcome.error.code} ${outcome.error.message}`);
      return outcome.value;
    },
    snapshot: async () => (await client.value('snapshot', {})).snapshot,
    ticket: async () => ((await post('/api/ticket', {}, `Bearer ${session}`)) as { ticket: string }).ticket,
  };
  return client;
}
