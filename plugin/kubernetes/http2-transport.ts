import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { RequestOptions } from "node:https";
import { StringDecoder } from "node:string_decoder";
import type { KubeConfig } from "@kubernetes/client-node";
import { buildKubeError } from "./kube-error.ts";
import {
  createHttp2RefusedError,
  createTimeoutError,
  isHttp2Refused,
  readAuthorization,
  readTlsOptions,
} from "./http2-session.ts";
import {
  type ApiRequest,
  type ApiResponse,
  parseRetryAfter,
  parseWatchLine,
  REQUEST_TIMEOUT_MS,
  type Transport,
  WATCH_IDLE_MS,
  type WatchHandler,
  type WatchStream,
} from "./transport.ts";

/** Intervals of the connection's check, as client-go has them. */
const PING_MS = { every: 30_000, answer: 15_000 } as const;

type ResponseHead = Pick<ApiResponse, "status" | "retryAfter">;

interface Http2Options {
  /** Transport for a server that does not speak HTTP/2. */
  readonly fallback: Transport;
  readonly pingMs?: { readonly every: number; readonly answer: number };
}

/** Sends all requests and watches over one HTTP/2 connection. Pings detect a connection that broke without being closed. */
export class Http2Transport implements Transport {
  readonly #config: KubeConfig;
  readonly #fallback: Transport;
  readonly #pingMs: typeof PING_MS | { readonly every: number; readonly answer: number };
  #session: Promise<ClientHttp2Session> | undefined;
  readonly #openStreams = new Set<ClientHttp2Stream>();
  #isRefused = false;
  #received = 0;

  constructor(config: KubeConfig, { fallback, pingMs = PING_MS }: Http2Options) {
    this.#config = config;
    this.#fallback = fallback;
    this.#pingMs = pingMs;
  }

  get received(): number {
    return this.#received;
  }

  async send(request: ApiRequest): Promise<ApiResponse> {
    const stream = await this.#open(request);
    if (stream === undefined) return this.#fallback.send(request);
    const texts: string[] = [];
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(createTimeoutError());
        stream.close(constants.NGHTTP2_CANCEL);
      }, REQUEST_TIMEOUT_MS);
      this.#read(stream, {
        received: (text) => {
          texts.push(text);
        },
        ended: (error, head) => {
          clearTimeout(timer);
          if (error !== undefined || head === undefined) reject(error ?? new Error("the connection was closed"));
          else resolve({ ...head, text: texts.join("") });
        },
      });
    });
  }

  async watch(path: string, handler: WatchHandler): Promise<WatchStream> {
    const stream = await this.#open({ method: "GET", path, headers: { accept: "application/json" } });
    if (stream === undefined) return this.#fallback.watch(path, handler);
    let buffered = "";
    const timer = setTimeout(() => {
      stream.close(constants.NGHTTP2_CANCEL);
    }, WATCH_IDLE_MS).unref();
    this.#read(stream, {
      received: (text, status) => {
        timer.refresh();
        buffered += text;
        if (status !== 200 || !text.includes("\n")) return;
        const lines = buffered.split("\n");
        buffered = lines.pop() ?? "";
        for (const line of lines) {
          const event = parseWatchLine(line);
          if (event !== undefined) handler.changed(event.type, event.object);
        }
      },
      ended: (error, head) => {
        clearTimeout(timer);
        const isError = head !== undefined && head.status !== 200;
        handler.ended(isError ? buildKubeError(head.status, buffered, `watch ${path}`, head.retryAfter) : error);
      },
    });
    return {
      abort: () => {
        stream.close(constants.NGHTTP2_CANCEL);
      },
    };
  }

  /** Reads a stream to its end. @param handler.ended called once, with the response's head if all of it was received */
  #read(
    stream: ClientHttp2Stream,
    handler: {
      readonly received: (text: string, status: number) => void;
      readonly ended: (error: Error | undefined, head: ResponseHead | undefined) => void;
    },
  ): void {
    const decoder = new StringDecoder("utf8");
    let head: ResponseHead | undefined;
    let hasEnded = false;
    const end = (error?: Error, received?: ResponseHead): void => {
      if (hasEnded) return;
      hasEnded = true;
      handler.ended(error, received);
    };
    stream.on("response", (headers) => {
      head = { status: Number(headers[":status"]), retryAfter: parseRetryAfter(String(headers["retry-after"])) };
    });
    stream.on("data", (chunk: Buffer) => {
      this.#received += chunk.length;
      handler.received(decoder.write(chunk), head?.status ?? 0);
    });
    stream.on("end", () => {
      if (!stream.aborted) end(undefined, head);
    });
    stream.on("error", end);
    stream.on("close", () => {
      end();
    });
  }

  /** Opens a stream with the request on it. @returns undefined if the server does not speak HTTP/2 */
  async #open({ method, path, headers, body }: ApiRequest): Promise<ClientHttp2Stream | undefined> {
    if (this.#isRefused) return undefined;
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const session = await this.#connect(options).catch((error: unknown) => {
      if (!isHttp2Refused(error)) throw error;
      this.#isRefused = true;
    });
    if (session === undefined) return undefined;
    const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const authorization = readAuthorization(options);
    const stream = session.request({
      ":method": method,
      ":path": path,
      ...lowerCase,
      ...(authorization === undefined ? {} : { authorization }),
    });
    this.#holdProcess(session, stream);
    stream.end(body);
    return stream;
  }

  /** Keeps the process alive for the stream's time; an idle connection does not. */
  #holdProcess(session: ClientHttp2Session, stream: ClientHttp2Stream): void {
    session.ref();
    this.#openStreams.add(stream);
    stream.once("close", () => {
      this.#openStreams.delete(stream);
      if (![...this.#openStreams].some((openStream) => openStream.session === session) && !session.destroyed)
        session.unref();
    });
  }

  #connect(options: RequestOptions): Promise<ClientHttp2Session> {
    const forget = (): void => {
      if (this.#session === opening) this.#session = undefined;
    };
    if (this.#session !== undefined) return this.#session;
    const opening = new Promise<ClientHttp2Session>((resolve, reject) => {
      const session = connect(this.#config.getCurrentCluster()?.server ?? "", readTlsOptions(options));
      const timer = setTimeout(() => {
        session.destroy(createTimeoutError());
      }, REQUEST_TIMEOUT_MS);
      session.once("connect", () => {
        clearTimeout(timer);
        if (session.alpnProtocol === "h2") {
          this.#keepAlive(session);
          resolve(session);
        } else session.destroy(createHttp2RefusedError());
      });
      session.on("error", reject);
      session.on("goaway", forget);
      session.on("close", () => {
        clearTimeout(timer);
        forget();
        reject(new Error("the connection was closed"));
      });
    });
    this.#session = opening;
    return opening;
  }

  #keepAlive(session: ClientHttp2Session): void {
    const { every, answer } = this.#pingMs;
    const timer = setInterval(() => {
      if (session.destroyed) return;
      const deadline = setTimeout(() => {
        session.destroy(new Error(`the API server did not answer a ping within ${answer} ms`));
      }, answer).unref();
      session.ping(() => {
        clearTimeout(deadline);
      });
    }, every).unref();
    session.once("close", () => {
      clearInterval(timer);
    });
  }
}
