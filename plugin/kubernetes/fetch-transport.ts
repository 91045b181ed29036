import { createConfiguration, type KubeConfig, RequestContext, Watch } from "@kubernetes/client-node";
import { KubeError } from "./kube-error.ts";
import {
  type ApiRequest,
  type ApiResponse,
  parseRetryAfter,
  REQUEST_TIMEOUT_MS,
  type Transport,
  WATCH_IDLE_MS,
  type WatchHandler,
  type WatchStream,
} from "./transport.ts";

/**
 * Sends requests with client-node, and so by HTTP/1.1 and with its support of proxies and authentication plugins. Each watch has its
 * own connection.
 */
export class FetchTransport implements Transport {
  readonly received = undefined;
  readonly #config: KubeConfig;
  readonly #idleMs: number;
  readonly #timeoutMs: number;
  readonly #http = createConfiguration().httpApi;

  /**
   * @param idleMs milliseconds after which a silent watch ends
   * @param timeoutMs milliseconds until a request without a response fails
   */
  constructor(config: KubeConfig, { idleMs = WATCH_IDLE_MS, timeoutMs = REQUEST_TIMEOUT_MS } = {}) {
    this.#config = config;
    this.#idleMs = idleMs;
    this.#timeoutMs = timeoutMs;
  }

  async send({ method, path, headers, body }: ApiRequest): Promise<ApiResponse> {
    const server = this.#config.getCurrentCluster()?.server ?? "";
    const context = new RequestContext(server + path, method);
    for (const [name, value] of Object.entries(headers)) context.setHeaderParam(name, value);
    if (body !== undefined) context.setBody(body);
    context.setSignal(AbortSignal.timeout(this.#timeoutMs));
    await this.#config.applySecurityAuthentication(context);
    const response = await this.#http.send(context).toPromise();
    return {
      status: response.httpStatusCode,
      text: await response.body.text(),
      retryAfter: parseRetryAfter(response.headers["retry-after"]),
    };
  }

  async watch(path: string, { changed, ended }: WatchHandler): Promise<WatchStream> {
    const watch = new Watch(this.#config);
    // client-node ends a watch that is silent for 30 s, but bookmarks come once a minute. It has no option for this timeout.
    Reflect.set(watch, "requestTimeoutMs", this.#idleMs);
    const onEvent = (type: string, object: unknown): void => {
      changed(type, object);
    };
    return watch.watch(path, {}, onEvent, (error: unknown) => {
      ended(error === null || error === undefined ? undefined : toKubeError(error));
    });
  }
}

function toKubeError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return "statusCode" in error && typeof error.statusCode === "number"
    ? new KubeError(error.statusCode, error.message)
    : error;
}
