import assert from "node:assert/strict";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import { NOTRACK, type AgentFixture, setupAgentFixture } from "../agent/agent-fixture.ts";
import { assertStreamsSurvive, type StreamPath } from "../agent/streams.ts";
import { ensureObject } from "../support/cluster-api.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It, Skip } from "../harness.ts";
import { readAgentImage, waitForAgents, listPodIdentities } from "../install/agents.ts";
import { installCopies, provideNewer, EXECUTABLE_NAMES, findOutdated, removeNewer } from "../install/executables.ts";
import { createKubectl } from "../install/create-kubectl.ts";
import { applyOverlay, type OverlayName } from "../install/overlay.ts";
import { rollOutDuringPodChurn } from "../install/rollout.ts";
import { watchExecutables } from "../install/watched.ts";
import { switchVariant } from "../deployment/variant.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";

const POLL = { timeout: 110_000 };
const PORT = 7300;
/**
 * Seconds that a connection must last, longer than the agents' replacement: a minimum, and a multiple of the time of an
 * apply.
 */
const CONNECTION_SECONDS = { least: 60, applies: 5 } as const;

/** Expected state of a node for each overlay, with kube-proxy v1.29 and its rule. */
interface ExpectedState {
  readonly data: Readonly<Record<string, string>>;
  readonly gate: { readonly open: boolean; readonly reason: RegExp };
  readonly tcpBeLiberal: number;
}
const OVERLAYS: readonly (readonly [OverlayName, ExpectedState])[] = [
  [
    "none",
    {
      data: { returnPath: "none" },
      gate: { open: false, reason: /returnPath is none/ },
      tcpBeLiberal: 0,
    },
  ],
  [
    "liberal",
    {
      data: { returnPath: "liberal", restartKubeProxy: "true" },
      gate: { open: true, reason: /kube-proxy has left its INVALID rule out/ },
      tcpBeLiberal: 1,
    },
  ],
  ["notrack", { data: { returnPath: "notrack" }, gate: { open: true, reason: /not tracked/ }, tcpBeLiberal: 0 }],
];

export function registerSpecs(run: TestRun): void {
  Describe("install: overlays and upgrade", { labels: ["install"] }, () => {
    let fixture: AgentFixture;
    let kubectl: Kubectl;
    let image: string;
    /** Seconds of the slowest `kubectl apply -k`, a measure of this computer's load. */
    let applySeconds = 5;
    /** Whether an underlay pod reaches an overlay pod on the other node, which needs the return path. */
    const canReachOverlay = () =>
      fixture.canReach("underlay-1-a", fixture.deployment.getAddress("overlay-2-b", "main"));
    const listAgents = () => listPodIdentities(fixture.api, SYSTEM_NAMESPACE, "app=interlay");
    const listKubeProxies = () => listPodIdentities(fixture.api, "kube-system", "k8s-app=kube-proxy");

    BeforeAll(
      async () => {
        fixture = await setupAgentFixture(run);
        kubectl = await createKubectl(fixture.cluster);
        image = await readAgentImage(kubectl);
        DeferCleanup(async () => {
          await applyOverlay(kubectl, "notrack", image);
          await waitForAgents(kubectl);
        });
      },
      { timeout: 300_000 },
    );

    for (const [overlay, expected] of OVERLAYS)
      It(`overlay ${overlay}: kubectl apply -k configures every node`, { timeout: 240_000 }, async () => {
        const { api, cluster, readNodeStatus, execOnNode } = fixture;
        const [agentsBefore, proxiesBefore] = [await listAgents(), await listKubeProxies()];
        if (overlay === "liberal") DeferCleanup(() => switchVariant(cluster, NOTRACK));
        const started = performance.now();
        await By("apply", () => applyOverlay(kubectl, overlay, image));
        applySeconds = Math.max(applySeconds, (performance.now() - started) / 1000);
        const { data } = await api.core.readNamespacedConfigMap({
          name: "interlay-config",
          namespace: SYSTEM_NAMESPACE,
        });
        assert.deepEqual(data, expected.data);
        for (const { name } of cluster.nodes) {
          // All in one read: a kube-proxy that the previous spec restarted writes its rule after the gate has opened.
          await Eventually(
            `gate ${expected.gate.open ? "open" : "closed"}, sysctl and kube-proxy's rule on ${name}`,
            () => readNodeStatus(name),
            ({ gate, tcpBeLiberal, kubeProxy, conditions }) =>
              gate.open === expected.gate.open &&
              expected.gate.reason.test(gate.reason) &&
              tcpBeLiberal === expected.tcpBeLiberal &&
              kubeProxy.invalidDropRule === (overlay !== "liberal") &&
              conditions.some(
                ({ type, status: conditionStatus, message }) =>
                  type === "ReturnPathReady" && conditionStatus === "True" && message.startsWith(`${overlay} `),
              ),
            POLL,
          );
          const table = await execOnNode(name, "nft", "list", "table", "inet", "interlay");
          assert.equal(/ notrack comment/.test(table), overlay === "notrack", `exemption on ${name}: ${table}`);
          assert.match(table, /masquerade-service/, `masquerade on ${name}`);
        }
        await Eventually(
          "underlay -> overlay on the other node",
          canReachOverlay,
          (ok) => ok === expected.gate.open,
          POLL,
        );
        const kept = (await listKubeProxies()).filter((identity) => proxiesBefore.includes(identity));
        assert.equal(kept.length, overlay === "liberal" ? 0 : cluster.nodes.length, "kube-proxy was restarted");
        assert.deepEqual(await listAgents(), agentsBefore, "an agent was restarted for a setting");
      });

    It("upgrade: with a newer image no connection, pod or call is lost", { timeout: 600_000 }, async () => {
      const { api, cluster, nodes, findStreamEnd } = fixture;
      if (cluster.provider !== "lab") Skip("only a lab's executables can be replaced");
      const nodeNames = cluster.nodes.map(({ name }) => name);
      const runOnAll = (work: (node: string) => Promise<unknown>) => Promise.all(nodeNames.map(work));
      await switchVariant(cluster, NOTRACK);
      await runOnAll((node) => installCopies(cluster, node));
      DeferCleanup(() => runOnAll((node) => removeNewer(cluster, node)));
      await By("a newer version", () => runOnAll((node) => provideNewer(cluster, node)));

      const service = {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "streams", namespace: NAMESPACE },
        spec: { selector: { probe: "overlay-2-b" }, ports: [{ port: PORT + 3 }] }, // the fourth path's
      };
      await ensureObject(api, service);
      DeferCleanup(() => api.objects.delete(service));
      const { spec } = await api.core.readNamespacedService({ name: "streams", namespace: NAMESPACE });
      const [underlay, overlay, target] = [
        await findStreamEnd("underlay-1-a"),
        await findStreamEnd("overlay-1-a"),
        await findStreamEnd("overlay-2-b"),
      ];
      const paths: readonly StreamPath[] = [
        { name: "underlay -> overlay on the other node", client: underlay, server: target },
        {
          name: "underlay -> multi-NIC's overlay address on the other node",
          client: underlay,
          server: await findStreamEnd("multi-nic-2-b"),
        },
        {
          name: "overlay -> multi-NIC's net1 on the other node",
          client: overlay,
          server: await findStreamEnd("multi-nic-2-b", "net1"),
        },
        { name: "underlay -> Service", client: underlay, server: { ...target, address: spec?.clusterIP ?? "" } },
        { name: "overlay -> underlay on the other node", client: overlay, server: await findStreamEnd("underlay-2-b") },
      ];
      const [agentsBefore, podsBefore] = [await listAgents(), await listPodIdentities(api, NAMESPACE, "probe")];
      const stopWatches = await Promise.all(nodes.map((node) => watchExecutables(cluster, node)));
      const started = performance.now();
      let [restarted, rolledAt] = [0, Infinity];
      const lines = Math.ceil(CONNECTION_SECONDS.least + CONNECTION_SECONDS.applies * applySeconds);
      await assertStreamsSurvive(cluster, paths, { lines, port: PORT }, async () => {
        ({ restarted, rolledAt } = await By("apply -k with another tag, while pods are created", () =>
          rollOutDuringPodChurn(kubectl, { api, cluster, testPods: new Map() }, nodes, `${image}-newer`),
        ));
      });
      const rolloutSeconds = (rolledAt - started) / 1000;
      assert.ok(
        rolloutSeconds < lines,
        `the agents were replaced after ${rolloutSeconds} s, and the connections had ended`,
      );
      const reports = await Promise.all(stopWatches.map((stop) => stop()));

      assert.ok(
        (await listAgents()).every((identity) => !agentsBefore.includes(identity)),
        "an agent was not replaced",
      );
      assert.deepEqual(await listPodIdentities(api, NAMESPACE, "probe"), podsBefore);
      assert.deepEqual((await Promise.all(nodeNames.map((node) => findOutdated(cluster, node)))).flat(), []);
      for (const [index, { looks, calls, failures, files, there }] of reports.entries()) {
        const node = nodes[index] ?? "";
        process.stdout.write(
          `      · ${node}: ${looks} looks, ${calls} VERSION calls; ${restarted} pods restarted with both\n`,
        );
        assert.deepEqual(failures, [], `a plugin on ${node} was missing or incomplete`);
        for (const name of EXECUTABLE_NAMES) {
          const [before, after, ...laterFiles] = files[name] ?? [];
          assert.ok(
            after !== undefined && laterFiles.length === 0,
            `${name} on ${node} was ${(files[name] ?? []).join("; ")}`,
          );
          const [oldInode = "", oldFile = ""] = before?.split(": ") ?? [];
          const [newInode = "", newFile = ""] = after.split(": ");
          assert.notEqual(newInode, oldInode, "it was written in place");
          assert.equal(newFile, oldFile, "size and mode");
        }
        assert.deepEqual(there, ["interlay", "interlay-full", "interlay-ipam", "interlay-lib"]);
      }
      assert.ok(await canReachOverlay());
      await By("and back to the older one", async () => {
        await runOnAll((node) => removeNewer(cluster, node));
        await applyOverlay(kubectl, "notrack", image);
        await waitForAgents(kubectl);
      });
      assert.deepEqual((await Promise.all(nodeNames.map((node) => findOutdated(cluster, node)))).flat(), []);
      assert.ok(await canReachOverlay());
    });
  });
}

registerIfMain(import.meta.url, registerSpecs);
