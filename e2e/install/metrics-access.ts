import assert from "node:assert/strict";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { DeferCleanup } from "../harness.ts";
import { runOnNode } from "../support/agent-process.ts";
import { type ClusterApi, ensureObject } from "../support/cluster-api.ts";
import { SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";

interface Clients {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  readonly kubectl: Kubectl;
}

/** Prints the response, and its status in the last line. */
const CURL = ["curl", "--silent", "--max-time", "5", "--write-out", "\n%{http_code}"] as const;

/**
 * Checks that another host reads an agent's metrics with a token whose account may, and not without.
 *
 * @param nodes the host that reads, and the agent's node
 */
export async function checkMetricsAccess(
  { cluster, api, kubectl }: Clients,
  [node, agentNode]: readonly [string, string],
): Promise<void> {
  const name = "metrics-reader";
  const metadata = { name, namespace: SYSTEM_NAMESPACE };
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata };
  const { status } = await api.core.readNode({ name: agentNode });
  const address = status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "";
  const scrape = (...options: readonly string[]) =>
    runOnNode(cluster, node, [...CURL, ...options, `http://${address}:9811/metrics`]);
  assert.match(await scrape(), /\n401$/);
  await ensureObject(api, account);
  DeferCleanup(() => api.objects.delete(account));
  const createToken = async (duration: string) => {
    const token = await kubectl.run(["-n", SYSTEM_NAMESPACE, "create", "token", name, "--duration", duration]);
    return ["--header", `Authorization: Bearer ${token.trim()}`];
  };
  assert.match(await scrape(...(await createToken("10m"))), /\n403$/);
  const role = "interlay-e2e-metrics-reader";
  const rbac = { apiVersion: "rbac.authorization.k8s.io/v1" };
  const objects = [
    {
      ...rbac,
      kind: "ClusterRole",
      metadata: { name: role },
      rules: [{ nonResourceURLs: ["/metrics"], verbs: ["get"] }],
    },
    {
      ...rbac,
      kind: "ClusterRoleBinding",
      metadata: { name: role },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ kind: "ServiceAccount", ...metadata }],
    },
  ];
  for (const object of objects) {
    await ensureObject(api, object);
    DeferCleanup(() => api.objects.delete(object));
  }
  // The refusal counts for a minute: another token.
  const text = await scrape(...(await createToken("11m")));
  assert.match(text, /^interlay_build_info\{/m);
  assert.match(text, /\n200$/);
}
