import {
  createConfiguration,
  HttpMethod,
  KubeConfig,
  RequestContext,
  Watch,
  type RequestContext as Context,
} from "@kubernetes/client-node";
import { z } from "zod";
import { describeApiError } from "./api-error.ts";

/** The API server responded with an error status. */
export class KubeError extends Error {
  /** HTTP status: 404 missing, 409 exists already or changed since, 403 forbidden, 422 rejected by the schema. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "KubeError";
    this.status = status;
  }
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof KubeError && statuses.includes(error.status);
}

/** API location of one kind. Without `namespace`: cluster-scoped, or all namespaces when listed. */
export interface Resource {
  /** `/api/v1` or `/apis/GROUP/VERSION` */
  readonly api: string;
  readonly plural: string;
  readonly namespace?: string;
}

export function buildPath({ api, plural, namespace }: Resource, name?: string, subresource?: string): string {
  return [api, ...(namespace === undefined ? [] : ["namespaces", namespace]), plural, name, subresource]
    .filter((part) => part !== undefined)
    .join("/");
}

const statusBody = z.object({ message: z.string().optional(), reason: z.string().optional() });
const TIMEOUT_MS = 10_000;

/** Client of the API server, in JSON. Callers parse the responses. */
export class KubeClient {
  readonly #config: KubeConfig;
  readonly #http = createConfiguration().httpApi;
  #requests = 0;
  #writes = 0;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  /** Connects with the pod's service account, or else with the default kubeconfig. */
  static connect(): KubeClient {
    const config = new KubeConfig();
    config.loadFromDefault();
    return new KubeClient(config);
  }

  /** Requests sent since the start: the agent's cost at the API server. */
  get counts(): { readonly requests: number; readonly writes: number } {
    return { requests: this.#requests, writes: this.#writes };
  }

  get(resource: Resource, name: string): Promise<unknown> {
    return this.request(HttpMethod.GET, buildPath(resource, name));
  }

  /** Undefined where it is not there, or the kind is not. */
  async find(resource: Resource, name: string): Promise<unknown> {
    try {
      return await this.get(resource, name);
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  list(resource: Resource, query: Readonly<Record<string, string>> = {}): Promise<unknown> {
    return this.request(HttpMethod.GET, `${buildPath(resource)}?${new URLSearchParams(query).toString()}`);
  }

  create(resource: Resource, body: unknown): Promise<unknown> {
    return this.request(HttpMethod.POST, buildPath(resource), body);
  }

  replace(resource: Resource, name: string, body: unknown): Promise<unknown> {
    return this.request(HttpMethod.PUT, buildPath(resource, name), body);
  }

  /** RFC 7396. */
  mergePatch(resource: Resource, name: string, body: unknown, subresource?: string): Promise<unknown> {
    return this.request(HttpMethod.PATCH, buildPath(resource, name, subresource), body, "application/merge-patch+json");
  }

  /** Deletes the object only if it has that uid. Returns false if it is missing or another object has its name. */
  async delete(resource: Resource, name: string, uid: string, resourceVersion?: string): Promise<boolean> {
    try {
      await this.request(HttpMethod.DELETE, buildPath(resource, name), {
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

  /** Watches changes; `done` is called once when the stream ends, with the error if one occurred. */
  async watch(
    path: string,
    query: Readonly<Record<string, string | number | boolean>>,
    changed: (phase: string, object: unknown) => void,
    done: (error: unknown) => void,
  ): Promise<{ abort(): void }> {
    this.#requests++;
    return new Watch(this.#config).watch(path, query, changed, done);
  }

  async request(method: HttpMethod, path: string, body?: unknown, type = "application/json"): Promise<unknown> {
    this.#requests++;
    if (method !== HttpMethod.GET) this.#writes++;
    const server = this.#config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error("no API server is configured: not in a pod, and no kubeconfig");
    const context: Context = new RequestContext(server + path, method);
    context.setHeaderParam("Accept", "application/json");
    if (body !== undefined) {
      context.setHeaderParam("Content-Type", type);
      context.setBody(JSON.stringify(body));
    }
    context.setSignal(AbortSignal.timeout(TIMEOUT_MS));
    const { response, text } = await this.#send(context).catch((error: unknown) => {
      throw describeApiError(error, server);
    });
    const json: unknown = text === "" ? {} : parseJson(text);
    if (response.httpStatusCode < 400) return json;
    const said = statusBody.safeParse(json);
    throw new KubeError(
      response.httpStatusCode,
      (said.success ? said.data.message : undefined) ?? `${method} ${path}: HTTP ${response.httpStatusCode}`,
    );
  }

  async #send(context: Context) {
    await this.#config.applySecurityAuthentication(context);
    const response = await this.#http.send(context).toPromise();
    return { response, text: await response.body.text() };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { message: text.slice(0, 200) };
  }
}
