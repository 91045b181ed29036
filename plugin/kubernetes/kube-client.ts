import {
  createConfiguration,
  HttpMethod,
  KubeConfig,
  RequestContext,
  Watch,
  type RequestContext as Context,
} from "@kubernetes/client-node";
import { z } from "zod";
import { explained } from "./api-error.ts";

/** The API server said no. */
export class KubeError extends Error {
  /** HTTP's: 404 not there, 409 there already or changed since, 403 not granted, 422 refused by the schema. */
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

/** Where objects of one kind are. `namespace` absent: cluster-scoped, or all namespaces when listed. */
export interface Resource {
  /** `/api/v1` or `/apis/GROUP/VERSION` */
  readonly api: string;
  readonly plural: string;
  readonly namespace?: string;
}

export function pathOf({ api, plural, namespace }: Resource, name?: string, subresource?: string): string {
  return [api, ...(namespace === undefined ? [] : ["namespaces", namespace]), plural, name, subresource]
    .filter((part) => part !== undefined)
    .join("/");
}

const statusBody = z.object({ message: z.string().optional(), reason: z.string().optional() });
const TIMEOUT_MS = 10_000;

/** The API server in JSON: what comes back is parsed by whoever asked. */
export class Kube {
  readonly #config: KubeConfig;
  readonly #http = createConfiguration().httpApi;
  #requests = 0;
  #writes = 0;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  /** In a pod: its service account. Else the usual kubeconfig. */
  static connect(): Kube {
    const config = new KubeConfig();
    config.loadFromDefault();
    return new Kube(config);
  }

  /** Requests sent since the start: the agent's cost at the API server. */
  get counts(): { readonly requests: number; readonly writes: number } {
    return { requests: this.#requests, writes: this.#writes };
  }

  get(resource: Resource, name: string): Promise<unknown> {
    return this.request(HttpMethod.GET, pathOf(resource, name));
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
    return this.request(HttpMethod.GET, `${pathOf(resource)}?${new URLSearchParams(query).toString()}`);
  }

  create(resource: Resource, body: unknown): Promise<unknown> {
    return this.request(HttpMethod.POST, pathOf(resource), body);
  }

  replace(resource: Resource, name: string, body: unknown): Promise<unknown> {
    return this.request(HttpMethod.PUT, pathOf(resource, name), body);
  }

  /** RFC 7396. */
  mergePatch(resource: Resource, name: string, body: unknown, subresource?: string): Promise<unknown> {
    return this.request(HttpMethod.PATCH, pathOf(resource, name, subresource), body, "application/merge-patch+json");
  }

  /** Only the object of that uid: one of the same name made since is another's. False: it was gone, or is another. */
  async delete(resource: Resource, name: string, uid: string, resourceVersion?: string): Promise<boolean> {
    try {
      await this.request(HttpMethod.DELETE, pathOf(resource, name), {
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

  /** Follows changes; `done` is called once when the stream ends, with the error if there was one. */
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
      throw explained(error, server);
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
