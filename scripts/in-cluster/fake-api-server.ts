import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { KubeConfig } from "@kubernetes/client-node";
import { startTestApiServer, type TestApiServer } from "../../plugin/testing/test-api-server.ts";

/** Resources of the Job's objects, by API path. */
const RESOURCES = {
  "/api/v1": { namespaces: "Namespace", serviceaccounts: "ServiceAccount", configmaps: "ConfigMap", pods: "Pod" },
  "/apis/rbac.authorization.k8s.io/v1": {
    clusterroles: "ClusterRole",
    clusterrolebindings: "ClusterRoleBinding",
    roles: "Role",
    rolebindings: "RoleBinding",
  },
  "/apis/batch/v1": { jobs: "Job" },
} as const;
const CLUSTER_SCOPED = ["namespaces", "clusterroles", "clusterrolebindings"];

/** An object as JSON. */
interface StoredObject {
  readonly metadata?: { readonly name?: string };
}

/** An API server that stores objects and does nothing else, for tests. */
export class FakeApiServer {
  /** Stored objects by path. */
  readonly objects = new Map<string, StoredObject>();
  /** Requests that changed something, such as `DELETE /api/v1/namespaces/a`. */
  readonly changes: string[] = [];
  /** Called after an object was created. */
  onCreate: (path: string, object: StoredObject) => void = () => undefined;
  #api: TestApiServer | undefined;

  /** Starts the server on a free loopback port. @returns a configuration for clients */
  async start(): Promise<KubeConfig> {
    this.#api = await startTestApiServer((request, response) => {
      void this.#answer(request).then(([status, body]) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    });
    return this.#api.config;
  }

  stop(): void {
    this.#api?.stop();
  }

  async #answer(request: IncomingMessage): Promise<readonly [status: number, body: unknown]> {
    const { pathname } = new URL(request.url ?? "", "http://localhost");
    const discovered = Object.entries(RESOURCES).find(([path]) => path === pathname);
    if (discovered !== undefined) return [200, listResources(discovered[1])];
    switch (request.method) {
      case "POST":
        return this.#create(pathname, JSON.parse(await text(request)) as StoredObject);
      case "DELETE":
        if (!this.objects.has(pathname)) return [404, {}];
        this.changes.push(`DELETE ${pathname}`);
        for (const path of this.objects.keys())
          if (path === pathname || path.startsWith(`${pathname}/`)) this.objects.delete(path);
        return [200, {}];
      default:
        if (pathname.endsWith("/pods")) return [200, { kind: "PodList", items: this.#list(pathname) }];
        return this.objects.has(pathname) ? [200, this.objects.get(pathname)] : [404, {}];
    }
  }

  #create(collection: string, object: StoredObject): readonly [status: number, body: unknown] {
    const path = `${collection}/${object.metadata?.name ?? ""}`;
    if (this.objects.has(path)) return [409, {}];
    this.changes.push(`POST ${path}`);
    this.objects.set(path, object);
    this.onCreate(path, object);
    return [201, object];
  }

  #list(collection: string): readonly StoredObject[] {
    return [...this.objects].filter(([path]) => path.startsWith(`${collection}/`)).map(([, object]) => object);
  }
}

function listResources(resources: Readonly<Record<string, string>>): unknown {
  return {
    kind: "APIResourceList",
    resources: Object.entries(resources).map(([name, kind]) => ({
      name,
      kind,
      namespaced: !CLUSTER_SCOPED.includes(name),
    })),
  };
}
