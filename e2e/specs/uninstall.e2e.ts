import assert from "node:assert/strict";
import { join } from "node:path";
import { installInterlay, listPools } from "../../clusters/addons/install-addons.ts";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { execOrThrow } from "../support/agent-process.ts";
import { createPod, type ChaosPod, deletePod, waitUntilReady, type PodContext } from "../chaos/context.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { type ClusterApi, removeNamespace } from "../support/cluster-api.ts";
import { diffLines } from "../existing-cluster/cluster-state.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It, Skip } from "../harness.ts";
import { readAgentImage, waitForRollout, listPodIdentities } from "../install/agents.ts";
import { readNodes, readSettledNodes, KEPT_DIRECTORIES, uninstallInterlay } from "../install/bare-nodes.ts";
import { BIN_DIRECTORY } from "../install/executables.ts";
import { CHART, Helm, splitReference } from "../install/helm.ts";
import { KeptPods } from "../install/kept-pods.ts";
import { checkMetricsAccess } from "../install/metrics-access.ts";
import { createKubectl } from "../install/kubectl.ts";
import { runUninstall } from "../install/uninstall-command.ts";
import { NAMESPACE } from "../pods/pods.ts";
import type { PodType } from "../../results/schema.ts";
import { setupCluster } from "../support/setup-cluster.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { SYSTEM_NAMESPACE } from "../support/node-paths.ts";

const POLL = { timeout: 60_000 };
const LIBERAL = ["sysctl", "-n", "net.netfilter.nf_conntrack_tcp_be_liberal"];
/** Strict rp_filter, as some distributions set it; the agent makes it loose. */
const STRICT = "net/ipv4/conf/vxlan.calico/rp_filter";

/** Changes of an agent on these nodes, in addition to those for pods: each must exist before its removal can be checked. */
const INSTALLED = [
  /file: f 755 \/opt\/cni\/bin\/interlay-full/,
  /table inet interlay/,
  /oifname "vethil\*"/,
  /nf_conntrack_tcp_be_liberal = 1/,
  /vxlan\/calico\.rp_filter = 2/,
] as const;

/** The specs depend on each other: install, upgrade, Helm uninstall, install, uninstall, install. */
export function registerSpecs(run: TestRun): void {
  Describe("install: from nodes without Interlay, by Helm, and back", { labels: ["install"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;
    let kubectl: Kubectl;
    let helm: Helm;
    let podContext: PodContext;
    let pods: KeptPods;
    let workers: readonly [string, string];
    let image: string;
    let values: Readonly<Record<string, unknown>>;
    /** State of the nodes before Interlay. */
    let bare: readonly string[];

    const make = async (name: string, node: string, type: PodType): Promise<ChaosPod> => {
      const testPod = await createPod(podContext, { name, node, type });
      await waitUntilReady(podContext, testPod);
      return testPod;
    };
    const same = () => listPodIdentities(api, NAMESPACE, KeptPods.selector);
    const agents = () => listPodIdentities(api, SYSTEM_NAMESPACE, "app=interlay");
    const warns = (name: string, reason: string, message: RegExp) =>
      Eventually(
        `${reason} of ${name}`,
        async () => (await api.core.listNamespacedEvent({ namespace: NAMESPACE })).items,
        (events) =>
          events.some((e) => e.involvedObject.name === name && e.reason === reason && message.test(e.message ?? "")),
        POLL,
      );
    const helmInstall = async () => {
      await helm.deploy("install", values, "--create-namespace");
      await waitForRollout(kubectl);
      const definition = [
        "-n",
        SYSTEM_NAMESPACE,
        "get",
        "net-attach-def",
        "underlay",
        "--ignore-not-found",
        "--output",
        "name",
      ];
      await Eventually(
        "the network's definition",
        () => kubectl.run(definition),
        (name) => name !== "",
        POLL,
      );
    };

    // The first run builds Helm, which takes minutes.
    BeforeAll(
      async () => {
        ({ cluster, api } = await setupCluster(run));
        if (cluster.provider === "lab") helm = await By("Helm", () => Helm.of(cluster));
      },
      { timeout: 0 },
    );
    BeforeAll(
      async () => {
        if (cluster.provider !== "lab") return;
        kubectl = await createKubectl(cluster);
        const [first = "", second = ""] = cluster.nodes.flatMap(({ role, name }) => (role === "worker" ? name : []));
        workers = [first, second];
        podContext = { api, cluster, testPods: new Map() };
        pods = new KeptPods(cluster, api, first);
        const pools = listPools(cluster.spec);
        const networks = [{ name: "underlay", pools: pools.map(({ name }) => name) }];
        image = await readAgentImage(kubectl);
        values = {
          image: splitReference(image),
          pools,
          networks,
          metrics: { enabled: true },
          test: { image: splitReference(cluster.probeImage) },
        };
        DeferCleanup(restoreInterlay);
        await uninstallInterlay(api, cluster);
        await execOrThrow(cluster, first, ["iptables", "-P", "FORWARD", "DROP"]); // as Docker does
        await By("an overlay pod on each worker", async () => {
          await make("target-1", first, "overlay");
          await make("target-2", second, "overlay");
        });
        await execOrThrow(cluster, second, ["sysctl", "-w", `${STRICT}=1`]);
        bare = await By("the nodes without Interlay", () => readSettledNodes(cluster));
      },
      { timeout: 300_000 },
    );

    async function restoreInterlay(): Promise<void> {
      await helm.uninstall().catch(() => undefined); // it is already uninstalled
      await installInterlay(kubectl, { spec: cluster.spec, interlay: image });
      await waitForRollout(kubectl);
      await removeNamespace(api, NAMESPACE);
      await execOrThrow(cluster, workers[0], ["iptables", "-P", "FORWARD", "ACCEPT"]);
      await execOrThrow(cluster, workers[1], ["sysctl", "-w", `${STRICT}=0`]);
      await helm.close();
    }

    let earlier: "well" | "failed" = "well";
    const onLab = (title: string, body: () => Promise<void>): void => {
      It(title, { timeout: 240_000 }, async () => {
        if (cluster.provider !== "lab") Skip("only a lab's nodes can be recreated");
        if (earlier === "failed") Skip("the previous spec failed");
        earlier = "failed";
        await body();
        earlier = "well";
      });
    };

    onLab("helm install with pools and networks as values: new pods of both types are attached", async () => {
      assert.match(await helm.refusal(SYSTEM_NAMESPACE), /image\.repository: name the repository/);
      assert.match(
        await helm.refusal("default", "--set", "image.repository=x"),
        /install with --namespace interlay-system/,
      );
      await By("helm install", helmInstall);
      assert.deepEqual(await helm.releases(), ["interlay: deployed"]);
      const [first, second] = workers;
      await By("pods that stay", () =>
        Promise.all([make("kept-u", first, "underlay"), make("kept-m", first, "multi-nic")]),
      );
      await pods.allWork();
      const gone = await By("pods that are deleted", () =>
        Promise.all([make("gone-u", second, "underlay"), make("gone-m", second, "multi-nic")]),
      );
      assert.ok(await pods.reaches("gone-u", "target-1"));
      await Promise.all(gone.map((testPod) => deletePod(podContext, testPod)));
    });

    onLab("helm test succeeds: pods of each type reach pods of each type and their Services", async () => {
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

    onLab("other hosts read the metrics with a token that may, and not without", () =>
      checkMetricsAccess({ cluster, api, kubectl }, workers),
    );

    onLab("helm upgrade: running agents read a value; another image replaces them, but no pod", async () => {
      const [agentsBefore, podsBefore] = [await agents(), await same()];
      const [first, second] = workers;
      values = { ...values, config: { [`${second}.returnPath`]: "liberal" } };
      await By("returnPath: liberal on one node", () => helm.deploy("upgrade", values));
      await Eventually(
        "its sysctl",
        () => execOrThrow(cluster, second, LIBERAL),
        (text) => text.trim() === "1",
        POLL,
      );
      assert.equal((await execOrThrow(cluster, first, LIBERAL)).trim(), "0");
      assert.deepEqual(await agents(), agentsBefore);
      await kubectl.run(["apply", "-f", join(CHART, "crds")]);
      await By("another image", async () => {
        await helm.deploy("upgrade", { ...values, image: splitReference(`${image}-newer`) });
        await waitForRollout(kubectl);
      });
      assert.ok((await agents()).every((one) => !agentsBefore.includes(one)));
      assert.deepEqual(await same(), podsBefore);
      await pods.allWork();
    });

    onLab(
      "helm uninstall removes the agents and leaves CRDs, plugins and attached pods, which helm install takes over",
      async () => {
        const podsBefore = await same();
        const ends = await make("ends", workers[1], "underlay");
        await By("helm uninstall", () => helm.uninstall());
        await Eventually("the agents are deleted", agents, (list) => list.length === 0, POLL);
        assert.equal((await kubectl.run(["get", "crd", "--output", "name"])).match(/interlay\.dev$/gm)?.length, 4);
        await execOrThrow(cluster, workers[0], ["ls", `${BIN_DIRECTORY}/interlay`, `${BIN_DIRECTORY}/interlay-full`]);
        await pods.allWork();
        await By("an attached pod ends without an agent", () => deletePod(podContext, ends));
        const waits = await createPod(podContext, { name: "waits", node: workers[1], type: "underlay" });
        await warns("waits", "FailedCreatePodSandBox", /underlay/);
        await By("helm install, again", helmInstall);
        await By("the waiting pod is attached", () => waitUntilReady(podContext, waits));
        assert.deepEqual(await same(), podsBefore);
        await pods.allWork();
        await deletePod(podContext, waits);
        await helm.uninstall();
      },
    );

    onLab("npm run uninstall refuses while pods are attached, and without a known image", async () => {
      const refused = await runUninstall(cluster);
      assert.equal(refused.exitCode, 2);
      assert.match(
        refused.stderr,
        /2 pods \(interlay-e2e\/kept-m, interlay-e2e\/kept-u\) have links that Interlay manages/,
      );
      const noImage = await runUninstall(cluster, "--force");
      assert.equal(noImage.exitCode, 2);
      assert.match(noImage.stderr, /--image REFERENCE/);
      await pods.allWork();
    });

    onLab("npm run uninstall restores every node, except for the state of running pods", async () => {
      const names = await pods.names();
      const installed = diffLines(bare, await readNodes(cluster));
      for (const what of INSTALLED)
        assert.ok(
          installed.some((line) => what.test(line)),
          `${String(what)} does not exist before`,
        );
      const cut = await By("npm run uninstall with a timeout of 0", () =>
        runUninstall(cluster, "--force", "--image", image, "--timeout", "0"),
      );
      assert.match(cut.stderr, /waiting until every node is restored: .* run this again/);
      const { exitCode, stdout, stderr } = await By("npm run uninstall, again", () => runUninstall(cluster, "--force"));
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout, /every node is restored/);
      const now = await By("the nodes", () => readSettledNodes(cluster));
      const left = diffLines(bare, now).filter((line) => !names.some((name) => line.includes(name)));
      const stay = cluster.nodes.flatMap(({ name }) =>
        KEPT_DIRECTORIES.map((path) => `new: ${name}: file: d 755 ${path}`),
      );
      assert.deepEqual(left, stay);
      assert.equal((await kubectl.run(["get", "crd", "--output", "name"])).match(/interlay\.dev$/gm), null);
      assert.deepEqual(await helm.releases(), []);
    });

    onLab(
      "installed again: a pod that was attached before can end and is not attached again; new pods are attached",
      async () => {
        assert.deepEqual(await pods.ways(), {
          "underlay -> overlay on the other node": false,
          "multi-NIC -> overlay on the other node": true, // by its overlay link
          "overlay -> underlay on its node": false,
          "overlay -> net1 on its node": false,
        });
        await api.core.deleteNamespacedPod({ namespace: NAMESPACE, name: "kept-u", gracePeriodSeconds: 0 });
        await warns("kept-u", "FailedKillPod", /interlay/);
        await installInterlay(kubectl, { spec: cluster.spec, interlay: image });
        await waitForRollout(kubectl);
        const there = (name: string) =>
          api.core.readNamespacedPod({ namespace: NAMESPACE, name }).then(
            () => true,
            (error: unknown) => getStatusCode(error) !== 404,
          );
        await Eventually(
          "kept-u ends",
          () => there("kept-u"),
          (is) => !is,
          POLL,
        );
        assert.equal(
          await pods.reaches("target-1", "kept-m", "net1"),
          false,
          "a pod without a record is attached again",
        );
        await deletePod(podContext, { name: "kept-m", node: workers[0], type: "multi-nic" });
        await Promise.all([make("kept-u", workers[0], "underlay"), make("kept-m", workers[0], "multi-nic")]);
        await pods.allWork();
      },
    );
  });
}

registerIfMain(import.meta.url, registerSpecs);
