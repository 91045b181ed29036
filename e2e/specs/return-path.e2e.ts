import assert from "node:assert/strict";
import { listFamilies } from "../../clusters/spec/address-ranges.ts";
import { countCalicoInvalidDrops, diffCounters, stripCounters } from "../agent/rules.ts";
import { NOTRACK, type AgentFixture, setupAgentFixture } from "../agent/agent-fixture.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "../harness.ts";
import { createChaosPod, deletePod, waitForChaosPod } from "../chaos/chaos-context.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import { configureAgents, switchVariant } from "../deployment/variant.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import {
  probeAsymmetricPaths,
  registerPacketFilterSpecs,
  waitForAsymmetricPaths,
} from "../agent/packet-filter-specs.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const POLL = { timeout: 60_000 };
const TABLE = ["nft", "list", "table", "inet", "interlay"];
const LIBERAL = ["sysctl", "-n", "net.netfilter.nf_conntrack_tcp_be_liberal"];

export function registerSpecs(run: TestRun): void {
  Describe("agent: return path next to other packet filters", { labels: ["agent", "return-path"] }, () => {
    let fixture: AgentFixture;
    const probePaths = () => probeAsymmetricPaths(fixture);
    const waitForPaths = () => waitForAsymmetricPaths(fixture);
    const runOnAllNodes = (...argv: readonly string[]) =>
      Promise.all(fixture.cluster.nodes.map(({ name }) => fixture.execOnNode(name, ...argv)));

    BeforeAll(
      async () => {
        fixture = await setupAgentFixture(run);
      },
      { timeout: 300_000 },
    );

    registerPacketFilterSpecs(() => fixture);

    It("has one exemption for pairs and one for secondary NICs with any number of pods", async () => {
      const { api, cluster, nodes, execOnNode } = fixture;
      const before = stripCounters(await execOnNode(nodes[0], ...TABLE));
      assert.deepEqual(
        [...before.matchAll(/ notrack comment "([^"]+)"/g)].map(([, name]) => name),
        listFamilies(cluster.spec).flatMap((family) => [`exempt-${family}`, `exempt-further-nic-${family}`]),
        before,
      );
      const podContext = { cluster, api, testPods: new Map() };
      const types = ["underlay", "multi-nic", "underlay", "multi-nic"] as const;
      const testPods = await Promise.all(types.map((type) => createChaosPod(podContext, { node: nodes[0], type })));
      for (const testPod of testPods) DeferCleanup(() => deletePod(podContext, testPod));
      await By(`${testPods.length} more pods`, () =>
        Promise.all(testPods.map((testPod) => waitForChaosPod(podContext, testPod))),
      );
      assert.equal(stripCounters(await execOnNode(nodes[0], ...TABLE)), before);
    });

    It("chooses snat if nodes are outside of a pool's subnet", async () => {
      const { api, cluster, nodes, execOnNode, readNodeStatus } = fixture;
      DeferCleanup(() => switchVariant(cluster, NOTRACK));
      await configureAgents(cluster, { returnPath: "auto" });
      const readReturnPath = async () => (await readNodeStatus(nodes[0])).returnPath;
      await Eventually("notrack on one network", readReturnPath, ({ mode }) => mode === "notrack", POLL);
      const pool = {
        apiVersion: GROUP_VERSION,
        kind: "UnderlayPool",
        metadata: { name: "behind-a-router" },
        spec: {
          subnet: "172.31.9.0/24",
          ranges: ["172.31.9.16/28"],
          priority: 1000,
        },
      };
      DeferCleanup(() => api.objects.delete(pool).then(() => undefined));
      await api.objects.create(pool);
      await Eventually(
        "snat, with the reason",
        readReturnPath,
        ({ mode, chosenBecause }) =>
          mode === "snat" && chosenBecause.includes("behind-a-router has the subnet 172.31.9.0/24"),
        POLL,
      );
      await waitForPaths();
      assert.match(
        await execOnNode(nodes[0], ...TABLE),
        /ip daddr @overlay4 counter packets [1-9]\d* .*masquerade-overlay-ipv4/,
      );
    });

    It("works with kube-proxy's nftables mode", async () => {
      const { cluster, nodes, execOnNode, readNodeStatus } = fixture;
      DeferCleanup(() => switchVariant(cluster, NOTRACK));
      await switchVariant(cluster, { ...NOTRACK, kubeProxy: { ...NOTRACK.kubeProxy, mode: "nftables" } });
      await Eventually(
        "its mode and rule are detected",
        () => readNodeStatus(nodes[0]),
        ({ kubeProxy }) => kubeProxy.mode === "nftables" && kubeProxy.invalidDropRule,
        POLL,
      );
      await waitForPaths();
      assert.match(await execOnNode(nodes[0], "nft", "list", "tables"), /table ip kube-proxy/);
    });

    It(
      "liberal: reports what to do while kube-proxy has its rule, and restarts kube-proxy if allowed",
      { timeout: 180_000 },
      async () => {
        const { cluster, nodes, readNodeStatus } = fixture;
        const readGates = () => Promise.all(nodes.map(async (node) => (await readNodeStatus(node)).gate));
        DeferCleanup(async () => {
          await configureAgents(cluster, { restartKubeProxy: null });
          await switchVariant(cluster, NOTRACK);
          assert.deepEqual(
            new Set((await runOnAllNodes(...LIBERAL)).map((text) => text.trim())),
            new Set(["0"]),
            "the sysctl",
          );
        });
        await configureAgents(cluster, { returnPath: "liberal" });
        assert.deepEqual(
          new Set((await runOnAllNodes(...LIBERAL)).map((text) => text.trim())),
          new Set(["1"]),
          "the sysctl",
        );
        const closed = await Eventually(
          "the gates are closed",
          readGates,
          (gates) => gates.every(({ open }) => !open),
          POLL,
        );
        for (const { reason } of closed) assert.match(reason, /still has its INVALID rule .* restart it on this node/);
        assert.deepEqual(await probePaths(), [false, false], "underlay -> overlay passes, though the gate is closed");
        await configureAgents(cluster, { restartKubeProxy: "true" });
        const opened = await Eventually("the gates are open", readGates, (gates) => gates.every(({ open }) => open), {
          timeout: 110_000,
        });
        for (const { reason } of opened) assert.match(reason, /kube-proxy has left its INVALID rule out/);
        await waitForPaths();
      },
    );

    It(
      "Calico's INVALID check drops no packet of the matrix with any return path, and drops those of a multi-NIC pod without its rule",
      { timeout: 240_000 },
      async () => {
        const { cluster, deployment, nodes, findStreamEnd, execOnNode, holdAgent, canReach } = fixture;
        const readDrops = async (node: string) =>
          countCalicoInvalidDrops(await execOnNode(node, "iptables-save", "-c", "-t", "filter"));
        const matrixCells = listMatrixCells(deployment.workers.length).filter(({ group }) => group === "matrix");
        DeferCleanup(() => switchVariant(cluster, NOTRACK));
        for (const returnPath of ["notrack", "none", "liberal"] as const) {
          const variant = { ...NOTRACK, returnPath };
          await switchVariant(cluster, variant);
          const before = await Promise.all(nodes.map(readDrops));
          assert.ok(
            before.every(({ size }) => size > 0),
            "Calico has no such rule, so the spec shows nothing",
          );
          const results = await By(`${matrixCells.length} cells by ${returnPath}`, () =>
            runCells(matrixCells, variant, deployment, DEFAULT_RUN),
          );
          assert.deepEqual(
            results.filter(({ ok }) => !ok).map(({ id }) => id),
            [],
          );
          const after = await Promise.all(nodes.map(readDrops));
          assert.deepEqual(
            nodes.map((node, index) => [node, diffCounters(before[index] ?? new Map(), after[index] ?? new Map())]),
            nodes.map((node) => [node, []]),
          );
        }

        // With `liberal` kube-proxy has no rule that could drop the packets first.
        const { node, netns, address } = await findStreamEnd("multi-nic-2-b");
        await holdAgent(node);
        const before = await readDrops(node);
        await execOnNode(node, "nsenter", `--net=${netns}`, "ip", "rule", "delete", "from", address);
        assert.ok(!(await canReach("underlay-1-a", address)), "its reply does not need the rule");
        const link = /dev (cali\S+)/.exec(await execOnNode(node, "ip", "route", "get", address))?.[1] ?? "";
        assert.deepEqual(
          diffCounters(before, await readDrops(node)).map((text) => text.split(":")[0]),
          [`cali-tw-${link}`],
          "which of Calico's chains drops",
        );
      },
    );
  });
}

registerIfMain(import.meta.url, registerSpecs);
