import assert from "node:assert/strict";
import { join } from "node:path";
import { By, Eventually } from "../harness.ts";
import { runOnNode } from "../support/agent-process.ts";
import { SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";
import { waitForAgents } from "./agents.ts";
import { BIN_DIRECTORY } from "./executables.ts";
import { CHART, splitReference } from "./helm.ts";
import { POLL, type SequenceSpec } from "./install-context.ts";
import { checkMetricsAccess } from "./metrics-access.ts";

const LIBERAL = ["sysctl", "-n", "net.netfilter.nf_conntrack_tcp_be_liberal"];

/** Registers the specs of the chart: install, test, metrics, upgrade, uninstall. They leave pods that are attached. */
export function registerHelmSpecs(addSpec: SequenceSpec): void {
  addSpec("helm install with pools and networks as values: new pods of both types are attached", async (context) => {
    const { helm, keptPods } = context;
    const [first, second] = context.workers;
    assert.match(await helm.readRenderError(SYSTEM_NAMESPACE), /image\.repository: name the repository/);
    assert.match(
      await helm.readRenderError("default", "--set", "image.repository=x"),
      /install with --namespace interlay-system/,
    );
    await By("helm install", () => context.installByHelm());
    assert.deepEqual(await helm.listReleases(), ["interlay: deployed"]);
    await By("pods that stay", () =>
      Promise.all([context.startPod("kept-u", first, "underlay"), context.startPod("kept-m", first, "multi-nic")]),
    );
    await keptPods.waitUntilAllWork();
    const deletedPods = await By("pods that are deleted", () =>
      Promise.all([context.startPod("gone-u", second, "underlay"), context.startPod("gone-m", second, "multi-nic")]),
    );
    assert.ok(await keptPods.canReach("gone-u", "target-1"));
    await Promise.all(deletedPods.map((pod) => context.deletePod(pod)));
  });

  addSpec("helm test succeeds: pods of each type reach pods of each type and their Services", async ({ helm, api }) => {
    assert.match(await By("helm test", () => helm.test()), /Phase:\s+Succeeded/);
    const { items } = await api.core.listNamespacedPod({
      namespace: SYSTEM_NAMESPACE,
      labelSelector: "interlay-test",
    });
    assert.deepEqual(
      items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined).map(({ metadata }) => metadata?.name),
      [],
      "the servers of the test stay",
    );
  });

  addSpec("other hosts read the metrics with a token that may, and not without", (context) =>
    checkMetricsAccess(context, context.workers),
  );

  addSpec("helm upgrade: running agents read a value; another image replaces them, but no pod", async (context) => {
    const { cluster, helm, kubectl, keptPods } = context;
    const [first, second] = context.workers;
    const [agentsBefore, podsBefore] = [await context.listAgents(), await context.listKeptPods()];
    context.values = { ...context.values, config: { [`${second}.returnPath`]: "liberal" } };
    await By("returnPath: liberal on one node", () => helm.deploy("upgrade", context.values));
    await Eventually(
      "its sysctl",
      () => runOnNode(cluster, second, LIBERAL),
      (text) => text.trim() === "1",
      POLL,
    );
    assert.equal((await runOnNode(cluster, first, LIBERAL)).trim(), "0");
    assert.deepEqual(await context.listAgents(), agentsBefore);
    await kubectl.run(["apply", "-f", join(CHART, "crds")]);
    await By("another image", async () => {
      await helm.deploy("upgrade", { ...context.values, image: splitReference(`${context.image}-newer`) });
      await waitForAgents(kubectl);
    });
    assert.ok((await context.listAgents()).every((agent) => !agentsBefore.includes(agent)));
    assert.deepEqual(await context.listKeptPods(), podsBefore);
    await keptPods.waitUntilAllWork();
  });

  addSpec(
    "helm uninstall removes the agents and leaves CRDs, plugins and attached pods, which helm install takes over",
    async (context) => {
      const { cluster, helm, keptPods } = context;
      const [first, second] = context.workers;
      const podsBefore = await context.listKeptPods();
      const crdsBefore = await context.listCrds();
      const endingPod = await context.startPod("ends", second, "underlay");
      await By("helm uninstall", () => helm.uninstall());
      await Eventually(
        "the agents are deleted",
        () => context.listAgents(),
        (agents) => agents.length === 0,
        POLL,
      );
      assert.ok(crdsBefore.length > 0);
      assert.deepEqual(await context.listCrds(), crdsBefore);
      await runOnNode(cluster, first, ["ls", `${BIN_DIRECTORY}/interlay`, `${BIN_DIRECTORY}/interlay-full`]);
      await keptPods.waitUntilAllWork();
      await By("an attached pod ends without an agent", () => context.deletePod(endingPod));
      const waitingPod = await context.createPod("waits", second, "underlay");
      await context.waitForWarning("waits", "FailedCreatePodSandBox", /underlay/);
      await By("helm install, again", () => context.installByHelm());
      await By("the waiting pod is attached", () => context.waitUntilReady(waitingPod));
      assert.deepEqual(await context.listKeptPods(), podsBefore);
      await keptPods.waitUntilAllWork();
      await context.deletePod(waitingPod);
      await helm.uninstall();
    },
  );
}
