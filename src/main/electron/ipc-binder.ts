import type { IpcMain, IpcMainInvokeEvent } from 'electron';
import { CALL_CHANNEL } from '../../shared/channels';
import type { Envelope, Handlers } from '../../shared/contract';
import { TandemError } from '../../shared/errors';
import { type BinderOptions, callHandler, failure } from '../contract/binder';
import type { Unsubscribe } from '../ports/emitter';
import { isOwnFrame } from './security';

/**
 * Binds the contract to the one IPC channel. A call from any frame but the top frame of our own page gets
 * `forbidden_origin`, before its name or input is read.
 */
export function bindIpc(
  ipcMain: Pick<IpcMain, 'handle' | 'removeHandler'>,
  handlers: Handlers,
  options: BinderOptions,
): Unsubscribe {
  const answer = (
    event: Pick<IpcMainInvokeEvent, 'senderFrame'>,
    name: unknown,
    input: unknown,
  ): Promise<Envelope<unknown>> | Envelope<never> => {
    if (!isOwnFrame(event.senderFrame)) {
      return failure(new TandemError('forbidden_origin', "Only Tandem's own page may call. Restart Tandem."));
    }
    return callHandler(handlers, String(name), input, { host: 'electron' }, options);
  };
  ipcMain.handle(CALL_CHANNEL, answer);
  return () => ipcMain.removeHandler(CALL_CHANNEL);
}
