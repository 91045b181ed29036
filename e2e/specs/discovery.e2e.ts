import assert from "node:assert/strict";
import { CoreV1Api, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { parseDocument } from "yaml";
import { loadKubeConfig } from "../../clusters/kubernetes/load-kube-config.ts";
import { registerNodeAddressSpecs, registerWireSpecs } from "../agent/discovery-specs.ts";
import { type AgentFixture, setupAgentFixture } from "../agent/agent-fixture.ts";
import { ensureObject } from "../support/cluster-api.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "../harness.ts";
import { configureAgents } from "../deployment/variant.ts";
import { NAMESPACE, buildPod } from "../pods/suite-pods.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { FACTS } from "../support/installed-paths.ts";

const ADDED_SERVICES = "10.235.0.0/24";
const POLL = { timeout: 110_000 };

export function registerSpecs(run: TestRun): void {
  Describe("agent: discovery updates facts, and facts update pods", { labels: ["agent", "discovery"] }, () => {
    let fixture: AgentFixture;
    BeforeAll(
      async () => {
        fixture = await setupAgentFixture(run);
      },
      { timeout: 300_000 },
    );

    It("a new IPPool is routed in running pods", async () => {
      const { api, cluster, nodes, canReach } = fixture;
      const pool = {
        apiVersion: "crd.projectcalico.org/v1",
        kind: "IPPool",
        metadata: { name: "added-later" },
        spec: { cidr: "10.234.0.0/24", vxlanMode: "Always", natOutgoing: true, blockSize: 28, nodeSelector: "all()" },
      };
      await ensureObject(api, pool);
      DeferCleanup(() => api.objects.delete(pool));
      const inPool = { "cni.projectcalico.org/ipv4pools": '["10.234.0.0/24"]' };
      await ensureObject(api, buildPod("in-added-pool", nodes[1], cluster.probeImage, inPool));
      DeferCleanup(() => api.core.deleteNamespacedPod({ name: "in-added-pool", namespace: NAMESPACE }));
      const address = await Eventually(
        "the pod runs",
        async () =>
          (await api.core.readNamespacedPod({ name: "in-added-pool", namespace: NAMESPACE })).status?.podIP ?? "",
        (ip) => ip.startsWith("10.234."),
        { timeout: 60_000 },
      );
      for (const from of ["underlay-1-a", "underlay-2-a", "multi-nic-1-a", "overlay-1-a"])
        await Eventually(`${from} -> ${address}`, () => canReach(from, address), Boolean, POLL);
    });

    It("a new Service network is routed in running pods until it is removed", async () => {
      const { cluster, nodes, findStreamEnd, execOnNode, readNodeStatus } = fixture;
      const streamEnds = [await findStreamEnd("underlay-1-b"), await findStreamEnd("multi-nic-1-b")];
      const readRoutes = () =>
        Promise.all(streamEnds.map(({ node, netns }) => execOnNode(node, "nsenter", `--net=${netns}`, "ip", "route")));
      const addedRoute = new RegExp(`^${ADDED_SERVICES.replaceAll(".", "\\.")} via \\S+ dev (veth0|eth0)`, "m");
      await setServiceSubnet(cluster.kubeconfig, `${cluster.spec.serviceCidr},${ADDED_SERVICES}`);
      DeferCleanup(() => setServiceSubnet(cluster.kubeconfig, cluster.spec.serviceCidr));
      await Eventually(
        "both pods have the route",
        readRoutes,
        (texts) => texts.every((text) => addedRoute.test(text)),
        POLL,
      );
      const { facts } = await readNodeStatus(nodes[0]);
      assert.deepEqual(facts.serviceCidrs, [cluster.spec.serviceCidr, ADDED_SERVICES]);
      assert.match(facts.sources["serviceCidrs"] ?? "", /^kubeadm-config serviceSubnet$|^ServiceCIDR objects$/);
      await setServiceSubnet(cluster.kubeconfig, cluster.spec.serviceCidr);
      await Eventually(
        "the route is removed",
        readRoutes,
        (texts) => texts.every((text) => !addedRoute.test(text)),
        POLL,
      );
    });

    It("sources that disagree are reported in a condition", async () => {
      const { api, nodes, cluster, readNodeStatus } = fixture;
      const config = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "cilium-config", namespace: "kube-system" },
        data: { "cluster-pool-ipv4-cidr": "10.9.0.0/16" },
      };
      await ensureObject(api, config);
      DeferCleanup(() => api.objects.delete(config));
      const readFactsReady = async () =>
        (await readNodeStatus(nodes[0])).conditions.find(({ type }) => type === "FactsReady");
      const condition = await Eventually(
        "a condition",
        readFactsReady,
        (candidate) => candidate?.reason === "SourcesDisagree",
        POLL,
      );
      const { overlayCidr } = cluster.spec;
      assert.equal(condition?.status, "True");
      assert.ok(
        condition.message.includes(
          `Calico IPPools says ${overlayCidr}, Cilium's cluster pool says 10.9.0.0/16; the first is used`,
        ),
        condition.message,
      );
    });

    It("an invalid override is reported in a condition, and the last valid facts stay", async () => {
      const { cluster, nodes, execOnNode, readNodeStatus } = fixture;
      const before = await execOnNode(nodes[0], "cat", FACTS);
      DeferCleanup(() => configureAgents(cluster, { overlayCidrs: null }));
      const readFactsReady = async () =>
        (await readNodeStatus(nodes[0])).conditions.find(({ type }) => type === "FactsReady");
      await configureAgents(cluster, { overlayCidrs: "10.99.0.0" });
      const condition = await Eventually(
        "a condition",
        readFactsReady,
        (candidate) => candidate?.reason === "NotRenewed",
        POLL,
      );
      assert.equal(condition?.status, "False");
      assert.match(condition.message, /ConfigMap interlay-config overlayCidrs: invalid CIDR "10\.99\.0\.0"/);
      assert.equal(await execOnNode(nodes[0], "cat", FACTS), before);
      await configureAgents(cluster, { overlayCidrs: null });
      await Eventually(
        "the condition is True again",
        readFactsReady,
        (candidate) => candidate?.status === "True" && candidate.reason === "Found",
        POLL,
      );
    });

    registerWireSpecs(() => fixture);
    registerNodeAddressSpecs(() => fixture);

    It("the facts file is written again when it is removed, readable only by root", async () => {
      const { nodes, execOnNode } = fixture;
      const before = await execOnNode(nodes[0], "cat", FACTS);
      await execOnNode(nodes[0], "rm", FACTS);
      const recreated = await By("the file exists again", () =>
        Eventually("the file", () => execOnNode(nodes[0], "cat", FACTS), Boolean),
      );
      assert.equal(recreated, before);
      assert.equal((await execOnNode(nodes[0], "stat", "-c", "%a", FACTS)).trim(), "600");
    });
  });
}

/** Changes the Service network as an operator does with kubeadm. */
async function setServiceSubnet(kubeconfig: string, serviceSubnet: string): Promise<void> {
  const config = loadKubeConfig({ kubeconfig });
  const api = config.makeApiClient(CoreV1Api);
  const identity = { namespace: "kube-system", name: "kubeadm-config" };
  const { data } = await api.readNamespacedConfigMap(identity);
  const document = parseDocument(data?.["ClusterConfiguration"] ?? "");
  assert.ok(document.hasIn(["networking", "serviceSubnet"]), "kubeadm-config has no Service network");
  document.setIn(["networking", "serviceSubnet"], serviceSubnet);
  await api.patchNamespacedConfigMap(
    { ...identity, body: { data: { ClusterConfiguration: String(document) } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
}

registerIfMain(import.meta.url, registerSpecs);
