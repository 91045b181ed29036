import { KubeConfig } from "@kubernetes/client-node";
import { describeApiError } from "./api-error.ts";
import { FetchTransport } from "./fetch-transport.ts";
import { Http2Transport } from "./http2-transport.ts";
import { buildKubeError, hasStatus, parseResponseJson } from "./kube-error.ts";
import type { ApiRequest, Transport, WatchHandler, WatchStream } from "./transport.ts";

/** API location of one kind. Without `namespace`: cluster-scoped, or all namespaces when listed. */
export interface Resource {
  /** `/api/v1` or `/apis/GROUP/VERSION` */
  readonly api: string;
  readonly plural: string;
  readonly namespace?: string;
}

/** Builds the path of a resource, or of one of its objects, on the API server. */
export function buildPath({ api, plural, namespace }: Resource, name?: string, subresource?: string): string {
  return [api, ...(namespace === undefined ? [] : ["namespaces", namespace]), plural, name, subresource]
    .filter((part) => part !== undefined)
    .join("/");
}

/** Client of the API server, in JSON. Callers parse the responses. */
export class KubeClient {
  readonly #config: KubeConfig;
  readonly #transport: Transport;
  #requests = 0;
  #writes = 0;

  constructor(config: KubeConfig, transport: Transport = new FetchTransport(config)) {
    this.#config = config;
    this.#transport = transport;
  }

  /** Returns a client whose requests fail after this time: for writes that take the API server long, such as those of CRDs. */
  static withTimeout(config: KubeConfig, timeoutMs: number): KubeClient {
    return new KubeClient(config, new FetchTransport(config, { timeoutMs: Math.max(1, timeoutMs) }));
  }

  /** Connects with the pod's service account, or else with the default kubeconfig. */
  static connect(): KubeClient {
    const config = new KubeConfig();
    config.loadFromDefault();
    return new KubeClient(config);
  }

  /** Connects as `connect`, with all requests and watches on one HTTP/2 connection: for a process that watches many kinds. */
  static connectMultiplexed(): KubeClient {
    const config = new KubeConfig();
    config.loadFromDefault();
    return KubeClient.multiplex(config);
  }

  /** Returns a client with one HTTP/2 connection, or HTTP/1.1 for a server that speaks only that. */
  static multiplex(config: KubeConfig): KubeClient {
    const fallback = new FetchTransport(config);
    const isTls = config.getCurrentCluster()?.server.startsWith("https:") === true;
    return new KubeClient(config, isTls ? new Http2Transport(config, { fallback }) : fallback);
  }

  /** Requests sent since the start: the agent's cost at the API server. Bytes are counted on an HTTP/2 connection. */
  get counts(): { readonly requests: number; readonly writes: number; readonly received: number | undefined } {
    return { requests: this.#requests, writes: this.#writes, received: this.#transport.received };
  }

  get(resource: Resource, name: string): Promise<unknown> {
    return this.request("GET", buildPath(resource, name));
  }

  /** Returns undefined if the object or its kind does not exist. */
  async find(resource: Resource, name: string): Promise<unknown> {
    try {
      return await this.get(resource, name);
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  list(resource: Resource, query: Readonly<Record<string, string>> = {}): Promise<unknown> {
    return this.request("GET", `${buildPath(resource)}?${new URLSearchParams(query).toString()}`);
  }

  create(resource: Resource, body: unknown): Promise<unknown> {
    return this.request("POST", buildPath(resource), body);
  }

  replace(resource: Resource, name: string, body: unknown): Promise<unknown> {
    return this.request("PUT", buildPath(resource, name), body);
  }

  /** Applies a JSON merge patch (RFC 7396). */
  mergePatch(resource: Resource, name: string, body: unknown, subresource?: string): Promise<unknown> {
    return this.request("PATCH", buildPath(resource, name, subresource), body, "application/merge-patch+json");
  }

  /** Deletes the object only if it has that uid. Returns false if it is missing or another object has its name. */
  async delete(resource: Resource, name: string, uid: string, resourceVersion?: string): Promise<boolean> {
    try {
      await this.request("DELETE", buildPath(resource, name), {
        apiVersion: "v1",
        kind: "DeleteOptions",
        preconditions: { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      });
      return true;
    } catch (error) {
      if (hasStatus(error, 404, 409)) return false;
      throw error;
    }
  }

  /** Watches changes until the stream ends. */
  watch(
    path: string,
    query: Readonly<Record<string, string | number | boolean>>,
    handler: WatchHandler,
  ): Promise<WatchStream> {
    this.#requests++;
    const parameters = new URLSearchParams({ watch: "true" });
    for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
    return this.#transport.watch(`${path}?${parameters.toString()}`, handler);
  }

  async request(
    method: ApiRequest["method"],
    path: string,
    body?: unknown,
    type = "application/json",
  ): Promise<unknown> {
    this.#requests++;
    if (method !== "GET") this.#writes++;
    const server = this.#config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error("no API server is configured: not in a pod, and no kubeconfig");
    const content = body === undefined ? {} : { "Content-Type": type };
    const { status, text, retryAfter } = await this.#transport
      .send({
        method,
        path,
        headers: { Accept: "application/json", ...content },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      .catch((error: unknown) => {
        throw describeApiError(error, server);
      });
    if (status >= 400) throw buildKubeError(status, text, `${method} ${path}`, retryAfter);
    return text === "" ? {} : parseResponseJson(text);
  }
}
