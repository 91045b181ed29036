/** A request to the API server, without authentication, which the transport adds. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ApiResponse {
  readonly status: number;
  readonly text: string;
  /** Milliseconds that the API server asks to wait before the next attempt; undefined if it asks for no wait. */
  readonly retryAfter?: number | undefined;
}

export interface WatchStream {
  abort(): void;
}

/** Receives a watch. `ended` is called once, with the error if one occurred. */
export interface WatchHandler {
  readonly changed: (type: string, object: unknown) => void;
  readonly ended: (error?: Error) => void;
}

/** Way by which requests and watches reach the API server. */
export interface Transport {
  /** Bytes of responses and watches so far, without those of the protocol; undefined if they are not counted. */
  readonly received: number | undefined;
  /** @throws if the API server does not respond; an error status is a response */
  send(request: ApiRequest): Promise<ApiResponse>;
  /** Starts a watch. An error status ends it with a KubeError. */
  watch(path: string, handler: WatchHandler): Promise<WatchStream>;
}

/** Milliseconds until a request without a response fails. */
export const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Milliseconds after which a silent watch ends. The API server sends a bookmark each minute, and ends watches itself after 30 to
 * 60 minutes (`--min-request-timeout`).
 */
export const WATCH_IDLE_MS = 300_000;

/** Parses the header Retry-After in seconds, as the API server sends it. @returns milliseconds */
export function parseRetryAfter(value: string | null | undefined): number | undefined {
  const seconds = Number(value ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? 1000 * seconds : undefined;
}

/** Parses one line of a watch. @returns undefined for a line that is not an event */
export function parseWatchLine(line: string): { readonly type: string; readonly object: unknown } | undefined {
  try {
    const event: unknown = JSON.parse(line);
    if (typeof event !== "object" || event === null || !("type" in event) || !("object" in event)) return undefined;
    return typeof event.type === "string" ? { type: event.type, object: event.object } : undefined;
  } catch {
    return undefined;
  }
}
