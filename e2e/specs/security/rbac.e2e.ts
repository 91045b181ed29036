import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { KubernetesObject } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";
import { getAuditLogFile } from "../../../clusters/lab/control-plane/component-arguments.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { listRequests, listGrants, roleSchema } from "../../agent/audit-log.ts";
import { registerStolenTokenSpecs } from "../../agent/stolen-token-specs.ts";
import { type ClusterApi, ensureObject } from "../../support/cluster-api.ts";
import { BeforeAll, DeferCleanup, Describe, Eventually, It, Skip } from "../../harness.ts";
import { NAMESPACE } from "../../pods/suite-pods.ts";
import { setupDeployment } from "../../deployment/setup-deployment.ts";
import { registerIfMain, type TestRun } from "../../support/test-run.ts";
import { GROUP_VERSION } from "../../../plugin/kubernetes/objects.ts";

const DEPLOY = join(import.meta.dirname, "..", "..", "..", "plugin", "deploy");

/** An account of Interlay, its manifests, and the grants that this run does not use, each with its use. */
interface Account {
  readonly name: string;
  readonly manifests: readonly string[];
  readonly elsewhere: Readonly<Record<string, string>>;
}

const ACCOUNTS: readonly Account[] = [
  {
    name: "interlay-agent",
    manifests: ["manifests/interlay.yaml", "components/restart-kube-proxy/role.yaml"],
    elsewhere: {
      "list servicecidrs.networking.k8s.io": "Kubernetes 1.33 and newer, which serve the kind",
      "watch servicecidrs.networking.k8s.io": "Kubernetes 1.33 and newer, which serve the kind",
      "list blockaffinities.crd.projectcalico.org": "a Calico pool that is disabled",
      "watch blockaffinities.crd.projectcalico.org": "a Calico pool that is disabled",
      "get configmaps in interlay-system": "interlay doctor in the agent's pod",
      "get configmaps in kube-system": "interlay doctor in the agent's pod",
      "get deployments.apps in interlay-system": "interlay doctor in the agent's pod",
      "list network-attachment-definitions.k8s.cni.cncf.io": "interlay doctor in the agent's pod",
      "delete pods in kube-system": "restartKubeProxy: true, with returnPath liberal",
      "get namespaces": "a pool with a namespaceSelector, and a network that names no pool",
      "get pods": "a pod that the watch has not reported, and an address whose pod is deleted",
      "get statefulsets.apps": "an address that waits for its StatefulSet's pod",
      "update underlayaddresses.interlay.dev": "an address that waits for its StatefulSet's pod",
      "patch events": "an Event that occurs again",
    },
  },
  {
    name: "interlay-controller",
    manifests: ["manifests/controller.yaml"],
    elsewhere: {
      "watch ipaddresspools.metallb.io": "MetalLB",
      "watch ciliumloadbalancerippools.cilium.io": "Cilium",
      "watch clonesets.apps.kruise.io": "OpenKruise",
      "watch statefulsets.apps.kruise.io": "OpenKruise",
      "watch daemonsets.apps.kruise.io": "OpenKruise",
      "watch virtualmachines.kubevirt.io": "KubeVirt",
      "get namespaces": "the namespace of a workload with a fixed set",
      "create underlayaddresses.interlay.dev": "a fixed set",
      "update underlayaddresses.interlay.dev": "an address of a deleted node, of a fixed set",
      "delete underlayaddresses.interlay.dev": "an address of a deleted node",
      "get pods": "an address of a deleted node",
      "get statefulsets.apps": "an address of a deleted node, of a StatefulSet's pod",
      "patch leases.coordination.k8s.io in interlay-system": "a leader that ends in good order",
      "create leases.coordination.k8s.io in interlay-system": "the first start in a cluster",
      "create events": "a pool that is full",
      "patch events": "a pool that is full again",
      "patch network-attachment-definitions.k8s.cni.cncf.io": "drift of a definition",
    },
  },
];

export function registerSpecs(run: TestRun): void {
  Describe("agent: RBAC grants exactly its requests", { labels: ["agent", "rbac"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;

    BeforeAll(
      async () => {
        if (run.options.provider === "lab") ({ cluster, api } = await setupDeployment(run));
      },
      { timeout: 300_000 },
    );

    It("every request of a run is granted, and every grant is used", async () => {
      if (run.options.provider !== "lab") Skip("only a lab has an audit log");
      const objects: readonly unknown[] = [
        {
          apiVersion: GROUP_VERSION,
          kind: "UnderlayNetwork",
          metadata: { name: "rbac" },
          spec: { namespace: NAMESPACE, pools: ["underlay"] },
        },
        buildPod("rbac-wired", "interlay-system/underlay", {}),
        // No such pool: rejected, and reported by an Event.
        buildPod("rbac-refused", "interlay-system/underlay", { "interlay.dev/ip": "203.0.113.9" }),
      ];
      for (const object of objects as readonly KubernetesObject[]) {
        await ensureObject(api, object);
        DeferCleanup(() => api.objects.delete(object).catch(() => undefined));
      }
      await Eventually(
        "the pod is attached",
        async () =>
          (await api.core.readNamespacedPod({ name: "rbac-wired", namespace: NAMESPACE })).status?.podIP ?? "",
        (address) => address !== "",
        { timeout: 30_000 },
      );
      for (const name of ["rbac-wired", "rbac-refused"])
        await api.core.deleteNamespacedPod({ name, namespace: NAMESPACE, gracePeriodSeconds: 0 });
      for (const account of ACCOUNTS) await compareGrants(account, getAuditLogFile(dirname(cluster.kubeconfig)));
    });

    if (run.options.provider === "lab") registerStolenTokenSpecs(() => ({ cluster, api }), listManifestGrants);

    const buildPod = (name: string, network: string, annotations: Readonly<Record<string, string>>): unknown => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace: NAMESPACE,
        annotations: { "v1.multus-cni.io/default-network": network, ...annotations },
      },
      spec: {
        nodeName: cluster.nodes[1]?.name,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: "probe", image: cluster.probeImage }],
      },
    });
  });
}

/** Waits until the account has used all of its grants, and fails if it sent a request that none of them covers. */
async function compareGrants({ name, elsewhere }: Account, log: string): Promise<void> {
  const grants = await listManifestGrants(name);
  const listUnused = async () => {
    const { used } = await listRequests(log, name, grants);
    return [...grants].filter((grant) => !used.has(grant) && !(grant in elsewhere));
  };
  await Eventually(`every grant of ${name} is used`, listUnused, (list) => list.length === 0, {
    timeout: 60_000,
    interval: 2000,
  });
  assert.deepEqual((await listRequests(log, name, grants)).notGranted, []);
  for (const grant of Object.keys(elsewhere))
    assert.ok(grants.has(grant), `${grant} of ${name} is listed as used elsewhere, but not granted`);
  process.stdout.write(
    `      · ${name}: ${grants.size} grants, ${Object.keys(elsewhere).length} of them used elsewhere\n`,
  );
}

/** Lists what the manifests grant to an account. */
async function listManifestGrants(account: string): Promise<ReadonlySet<string>> {
  const files = ACCOUNTS.find(({ name }) => name === account)?.manifests ?? [];
  const texts = await Promise.all(files.map((file) => readFile(join(DEPLOY, file), "utf8")));
  return new Set(
    parseAllDocuments(texts.join("---\n"))
      .map((document) => roleSchema.safeParse(document.toJS()))
      .flatMap(({ data }) => (data === undefined ? [] : listGrants(data))),
  );
}

registerIfMain(import.meta.url, registerSpecs);
