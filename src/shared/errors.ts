/**
 * The codes of all expected failures; they are defined only here. `http` is the gateway's status; the sentence with the
 * cure is in `TandemError.message` and, for the UI, in `i18n/`.
 */
export const ERROR_CODES = {
  bad_request: { http: 400 },
  bad_json: { http: 400 },
  bad_model_name: { http: 400 },
  unsupported: { http: 400 },
  /** Prompt and answer need more tokens than the named model's context has. */
  context_exceeded: { http: 400 },
  unauthorized: { http: 401 },
  /** Never sent by a server: the UI has no connection to the core. */
  disconnected: { http: 503 },
  forbidden_host: { http: 403 },
  forbidden_origin: { http: 403 },
  not_found: { http: 404 },
  model_not_found: { http: 404 },
  body_too_large: { http: 413 },
  /** Two server processes have died while answering this request. */
  poison: { http: 422 },
  rate_limited: { http: 429 },
  cancelled: { http: 499 },
  internal: { http: 500 },
  echo: { http: 502 },
  backend_failed: { http: 502 },
  no_model: { http: 503 },
  ollama_down: { http: 503 },
  mlx_down: { http: 503 },
  backend_down: { http: 503 },
  backend_absent: { http: 503 },
  queue_full: { http: 503 },
  queue_timeout: { http: 503 },
  memory_critical: { http: 503 },
  timeout: { http: 504 },
  loop_detected: { http: 508 },
  self_reference: { http: 500 },
  port_taken: { http: 500 },
  settings_corrupt: { http: 500 },
  setting_from_environment: { http: 409 },
  setting_invalid: { http: 400 },
  environment_invalid: { http: 400 },
  database_unreadable: { http: 500 },
  database_newer: { http: 500 },
  disk_full: { http: 507 },
  data_dir_locked: { http: 500 },
  /** The configured data folder belongs to another program. */
  data_dir_foreign: { http: 500 },
  read_only: { http: 409 },
  runtime_broken: { http: 500 },
  model_incomplete: { http: 500 },
  /** Another instance of Tandem uses it. */
  runtime_in_use: { http: 409 },
  /** A request is using it. */
  busy: { http: 409 },
  /** Only the desktop app can do this. */
  not_supported: { http: 501 },
  /** Its folder is not in a place that Tandem may delete from. */
  not_deletable: { http: 409 },
  pull_failed: { http: 502 },
  /** The source of a download sent nothing for a minute. */
  download_stalled: { http: 504 },
  /** Given out only with consent on its page, or with a token. */
  model_gated: { http: 403 },
  /** Its server cannot run it. */
  model_unsupported: { http: 400 },
  hub_token_rejected: { http: 401 },
  secret_store_unavailable: { http: 500 },
  declined: { http: 403 },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The code for a backend that is down: `<id>_down` for the backends that have a code of their own. */
export function downCodeOf(backend: string): ErrorCode {
  const code = `${backend}_down`;
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'backend_down';
}

/** Does this code say that a backend is down? */
export function isDownCode(code: string): boolean {
  return code.endsWith('_down');
}

export interface TandemErrorOptions {
  cause?: unknown;
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  retryAfterS?: number;
  /** Facts for the UI's sentence (names and numbers, never message text). */
  details?: Record<string, string | number | boolean | null>;
}

/** An expected failure: a code from the list above and a sentence that ends with the cure. */
export class TandemError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterS: number | undefined;
  readonly details: Record<string, string | number | boolean | null>;

  constructor(code: ErrorCode, message: string, options: TandemErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'TandemError';
    this.code = code;
    this.retryAfterS = options.retryAfterS;
    this.details = options.details ?? {};
  }
}

export function isTandemError(value: unknown): value is TandemError {
  return value instanceof TandemError;
}

/** Wraps any thrown value: a `TandemError` is returned unchanged, an abort becomes `cancelled`, all else `fallback`. */
export function toTandemError(value: unknown, fallback: ErrorCode = 'internal'): TandemError {
  if (isTandemError(value)) return value;
  if (value instanceof Error && value.name === 'AbortError') {
    return new TandemError('cancelled', 'The request was cancelled.', { cause: value });
  }
  const message = value instanceof Error ? value.message : String(value);
  return new TandemError(fallback, message, { cause: value });
}
