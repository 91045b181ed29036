import { KubeConfig } from "@kubernetes/client-node";
import { loadKubeConfig } from "../../clusters/kubernetes/load-kube-config.ts";
import { KubeClient } from "../../plugin/kubernetes/kube-client.ts";
import { hasStatus, KubeError } from "../../plugin/kubernetes/kube-error.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import { SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";

const TOKEN_SECONDS = 600;

/** A request with a stolen token. Writes are dry runs: they pass authorization and admission, and change nothing. */
export interface StolenRequest {
  readonly verb: "get" | "list" | "create" | "update" | "patch" | "delete";
  readonly path: string;
  readonly body?: unknown;
}

const METHODS = {
  get: "GET",
  list: "GET",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
} as const;

/** Sends requests to the API server as somebody who took a token from a node. */
export class TokenThief {
  readonly #client: KubeClient;

  private constructor(client: KubeClient) {
    this.#client = client;
  }

  /**
   * Requests a token of a ServiceAccount.
   * @param account ServiceAccount in interlay-system
   * @param pod pod of the account, to which the token is bound as kubelet's tokens are; undefined: a token of the account alone
   */
  static async steal(kubeconfig: string, api: ClusterApi, account: string, pod?: string): Promise<TokenThief> {
    const boundObjectRef = pod === undefined ? {} : { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: pod } };
    const { status } = await api.core.createNamespacedServiceAccountToken({
      name: account,
      namespace: SYSTEM_NAMESPACE,
      body: { spec: { audiences: [], expirationSeconds: TOKEN_SECONDS, ...boundObjectRef } },
    });
    const config = loadKubeConfig({ kubeconfig });
    const cluster = config.getCurrentCluster();
    if (cluster === null || status === undefined) throw new Error(`no token of ${account}: no current cluster`);
    const tokenConfig = new KubeConfig();
    tokenConfig.loadFromClusterAndUser(cluster, { name: account, token: status.token ?? "" });
    return new TokenThief(new KubeClient(tokenConfig));
  }

  /** Sends a request. @returns the reason of the refusal; undefined if it is allowed, also for an object that does not exist */
  async request({ verb, path, body }: StolenRequest): Promise<string | undefined> {
    const type = verb === "patch" ? "application/merge-patch+json" : "application/json";
    const url = METHODS[verb] === "GET" ? path : `${path}?dryRun=All`;
    try {
      await this.#client.request(METHODS[verb], url, body, type);
      return undefined;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      // A violated schema has the status 422 too.
      if (hasStatus(error, 403) || (hasStatus(error, 422) && error.message.includes("ValidatingAdmissionPolicy")))
        return error.message;
      if (hasStatus(error, 404, 409)) return undefined;
      throw error;
    }
  }

  /** Sends a request and returns its answer. */
  createObject(verb: "create", path: string, body: unknown): Promise<unknown> {
    return this.#client.request(METHODS[verb], path, body);
  }
}
