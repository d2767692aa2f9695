import { join } from 'node:path';
import pino from 'pino';
import type { Logger } from './logger';
import { makePrivateFolder } from './private-files';
import { redact } from './redact';
import { RotatingFile } from './rotating-file';

export interface LogOptions {
  dataDir: string;
  /** JSON lines on the console instead of readable ones (`--json`). */
  json: boolean;
  /** Where the console lines go. stdout belongs to the `ready` line, so this is stderr. */
  stderr: NodeJS.WritableStream;
  level?: 'debug' | 'info' | 'warn' | 'error';
  /** Bytes of one log file; three are kept. */
  maxBytes?: number;
}

export interface Log {
  logger: Logger;
  /** Call on `process.on('exit')`: writes all pending lines. */
  flushSync(): void;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

const MAX_BYTES = 5 * 1024 * 1024;
const FILES = 3;

/**
 * The log: JSON lines in `logs/tandem.log` and on the console. With an unwritable folder or a full disk the app goes on
 * without the file and reports that once. Secrets and message text are removed from every line.
 */
export async function openLog(options: LogOptions): Promise<Log> {
  const { stderr, json, level = 'info' } = options;
  // A console that is gone (a closed terminal) must not end the app.
  stderr.on('error', () => {});
  const console: pino.DestinationStream = {
    write: (line) => void stderr.write(json ? line : toHumanLine(line)),
  };
  const file = await openFile(options, console);
  const streams = file
    ? [
        { level, stream: console },
        { level, stream: file },
      ]
    : [{ level, stream: console }];
  const root = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.multistream(streams),
  );
  return {
    logger: toLogger(root),
    flushSync: () => file?.flushSync(),
    close: async () => file?.flush(),
  };
}

/** A readable line: time, level, room, event, then the fields. */
export function toHumanLine(line: string): string {
  const { time, level, room, event, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = String(time).slice(11, 19);
  const rest = Object.entries(fields).map(
    ([name, value]) =>
      `${name}=${typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`,
  );
  const words = [
    clock,
    String(level).padEnd(5),
    room === undefined ? '' : `${room}:`,
    String(event),
    ...rest,
  ];
  return `${words.filter((word) => word !== '').join(' ')}\n`;
}

async function openFile(options: LogOptions, console: pino.DestinationStream): Promise<RotatingFile | null> {
  const folder = join(options.dataDir, 'logs');
  const path = join(folder, 'tandem.log');
  const warn = (error: unknown) =>
    console.write(
      `${JSON.stringify({
        level: 'warn',
        time: new Date().toISOString(),
        event: 'log_file_failed',
        path,
        cure: 'Free some space, or give your user the right to write there. Tandem works on without the file.',
        ...redact({ error }),
      })}\n`,
    );
  try {
    await makePrivateFolder(folder);
    return new RotatingFile({ path, maxBytes: options.maxBytes ?? MAX_BYTES, files: FILES, onFailure: warn });
  } catch (error) {
    warn(error);
    return null;
  }
}

function toLogger(target: pino.Logger): Logger {
  return {
    debug: (event, fields = {}) => target.debug(redact(fields), event),
    info: (event, fields = {}) => target.info(redact(fields), event),
    warn: (event, fields = {}) => target.warn(redact(fields), event),
    error: (event, fields = {}) => target.error(redact(fields), event),
    child: (room) => toLogger(target.child({ room })),
  };
}
