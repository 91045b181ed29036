import assert from "node:assert/strict";
import { PatchStrategy } from "@kubernetes/client-node";
import { z } from "zod";
import { type AgentFixture, setupAgentFixture } from "../agent/agent-fixture.ts";
import { createChaosPod, deletePod, waitForChaosPod, type PodContext } from "../chaos/chaos-context.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { ensureObject } from "../support/cluster-api.ts";
import { findControllerProcess, signalController } from "../support/controller-process.ts";
import { buildUnderlayNetwork } from "../doctor/start-faults.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "../harness.ts";
import { createNetworkAnnotations, NAMESPACE, buildPod } from "../pods/suite-pods.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { NODE_STATE_DIRECTORY } from "../support/installed-paths.ts";
import { GROUP_VERSION, SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";

const POLL = { timeout: 60_000 };
const KEPT = "/root/records-kept";

const definition = z.object({
  metadata: z.object({
    ownerReferences: z.array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean() })),
  }),
  spec: z.object({ config: z.string() }),
});
const address = z.object({ metadata: z.object({ name: z.string() }), spec: z.record(z.string(), z.unknown()) });

export function registerSpecs(run: TestRun): void {
  Describe("agent: cluster-wide work, Events and metrics", { labels: ["agent", "agent-cluster"] }, () => {
    let fixture: AgentFixture;
    let podContext: PodContext;
    const readObject = async (kind: string, apiVersion: string, metadata: { name: string; namespace?: string }) => {
      try {
        return (await fixture.api.objects.read({ kind, apiVersion, metadata })) as unknown;
      } catch (error) {
        if (getStatusCode(error) === 404) return undefined;
        throw error;
      }
    };
    const requestAgent = (node: string, path: string) =>
      fixture.execOnNode(node, "curl", "--silent", "--write-out", "\n%{http_code}", `http://127.0.0.1:9810/${path}`);

    BeforeAll(
      async () => {
        fixture = await setupAgentFixture(run);
        podContext = { cluster: fixture.cluster, api: fixture.api, testPods: new Map() };
      },
      { timeout: 300_000 },
    );

    It(
      "the controller writes and repairs an UnderlayNetwork's definition; the other replica does while the leader hangs",
      { timeout: 180_000 },
      async () => {
        const { api } = fixture;
        const leader = z.object({ spec: z.object({ holderIdentity: z.string() }) });
        const readLeaseHolder = async () =>
          leader.parse(
            await readObject("Lease", "coordination.k8s.io/v1", {
              name: "interlay-leader",
              namespace: SYSTEM_NAMESPACE,
            }),
          ).spec.holderIdentity;
        const readDefinition = async () => {
          const object = await readObject("NetworkAttachmentDefinition", "k8s.cni.cncf.io/v1", {
            name: "led",
            namespace: NAMESPACE,
          });
          return object === undefined ? undefined : definition.parse(object);
        };
        const firstLeader = await readLeaseHolder();
        const leaderProcess = await findControllerProcess(fixture.cluster, firstLeader);
        await By(`stop ${firstLeader}, the leading replica`, () =>
          signalController(fixture.cluster, leaderProcess, "STOP"),
        );
        DeferCleanup(() => signalController(fixture.cluster, leaderProcess, "CONT").catch(() => undefined));
        const network = buildUnderlayNetwork("led", { mtu: 1400 });
        await ensureObject(api, network);
        DeferCleanup(() => api.objects.delete(network).catch(() => undefined));
        const written = await By("the other replica writes it", () =>
          Eventually("the definition", readDefinition, (definition) => definition !== undefined, { timeout: 90_000 }),
        );
        assert.notEqual(await readLeaseHolder(), firstLeader);
        assert.deepEqual(written?.metadata.ownerReferences, [
          { kind: "UnderlayNetwork", name: "led", controller: true },
        ]);
        assert.match(written.spec.config, /"type":"macvlan".*"mtu":1400.*"type":"interlay-ipam".*"type":"interlay"/);
        await api.objects.patch(
          {
            apiVersion: "k8s.cni.cncf.io/v1",
            kind: "NetworkAttachmentDefinition",
            metadata: { name: "led", namespace: NAMESPACE },
            spec: { config: "{}" },
          } as never,
          undefined,
          undefined,
          undefined,
          undefined,
          PatchStrategy.MergePatch,
        );
        await Eventually(
          "a manual change is repaired",
          readDefinition,
          (definition) => definition?.spec.config === written.spec.config,
          POLL,
        );
        await api.objects.delete(network);
        await Eventually("it is deleted with its network", readDefinition, (definition) => definition === undefined, {
          timeout: 90_000,
        });
      },
    );

    It("reports on the pod why it was not attached", async () => {
      const { api, cluster, nodes } = fixture;
      const network = buildUnderlayNetwork("wrong-option", { options: { hijackCIDRs: ["0.0.0.0/0"] } });
      await ensureObject(api, network);
      DeferCleanup(() => api.objects.delete(network));
      const expectedEvents = [
        {
          name: "no-address",
          annotations: { ...createNetworkAnnotations("underlay"), "interlay.dev/ip": "203.0.113.9" },
          reason: "NoUnderlayAddress",
          message: /none of the addresses that eth0 of pod \S+no-address requests is in a usable pool/,
        },
        {
          name: "not-wired",
          annotations: { "v1.multus-cni.io/default-network": `${NAMESPACE}/wrong-option` },
          reason: "UnderlayWiringFailed",
          message: /0\.0\.0\.0\/0/,
        },
      ];
      for (const { name, annotations, reason, message } of expectedEvents) {
        await ensureObject(api, buildPod(name, nodes[0], cluster.probeImage, annotations));
        DeferCleanup(() => api.core.deleteNamespacedPod({ name, namespace: NAMESPACE, gracePeriodSeconds: 0 }));
        const events = async () =>
          (await api.core.listNamespacedEvent({ namespace: NAMESPACE })).items.filter(
            (event) => event.involvedObject.name === name && event.reason === reason,
          );
        const [event] = await Eventually(`${reason} of ${name}`, events, (list) => list.length > 0, POLL);
        assert.match(event?.message ?? "", message);
        assert.equal(event?.source?.component, "interlay");
      }
    });

    It("serves /healthz, /readyz and /metrics, and counts repairs", async () => {
      const { nodes, execOnNode, findStreamEnd } = fixture;
      for (const path of ["healthz", "readyz"]) assert.equal(await requestAgent(nodes[0], path), "ok\n\n200", path);
      const countRepairs = async () =>
        Number(
          /^interlay_drift_repaired_total\{kind="route"\} (\d+)/m.exec(await requestAgent(nodes[0], "metrics"))?.[1] ??
            0,
        );
      const before = await countRepairs();
      const { address: podAddress } = await findStreamEnd("underlay-1-b");
      await execOnNode(nodes[0], "ip", "route", "delete", `${podAddress}/32`);
      await Eventually("one more route was repaired", countRepairs, (count) => count > before, POLL);
      const testPod = await createChaosPod(podContext, { node: nodes[0], type: "underlay" });
      DeferCleanup(() => deletePod(podContext, testPod));
      await waitForChaosPod(podContext, testPod);
      const text = await Eventually(
        "a call's duration",
        () => requestAgent(nodes[0], "metrics"),
        (text) => /^interlay_cni_duration_seconds_count\{.*command="ADD".*\} [1-9]/m.test(text),
        POLL,
      );
      for (const name of [
        "interlay_cni_duration_seconds_bucket",
        "interlay_kube_proxy_invalid_drops_total",
        "interlay_build_info",
        'interlay_condition{type="GateOpen",status="true"} 1',
        "process_resident_memory_bytes",
      ])
        assert.ok(text.includes(`\n${name}`), `${name} is not among the metrics`);
    });

    It(
      "removes record, route and address of pods that a reboot of their node ended",
      { timeout: 180_000 },
      async () => {
        const { api, nodes, execOnNode } = fixture;
        const [node] = nodes;
        const testPod = await createChaosPod(podContext, { node, type: "underlay" });
        await waitForChaosPod(podContext, testPod);
        const ip = (await api.core.readNamespacedPod({ name: testPod.name, namespace: NAMESPACE })).status?.podIP ?? "";
        const claim = address.parse(await readObject("UnderlayAddress", GROUP_VERSION, { name: ip }));
        const record = (
          await execOnNode(
            node,
            "grep",
            "--files-with-matches",
            testPod.name,
            "--recursive",
            `${NODE_STATE_DIRECTORY}/attachments`,
          )
        ).trim();
        await execOnNode(node, "cp", "--archive", NODE_STATE_DIRECTORY, KEPT);
        DeferCleanup(() => execOnNode(node, "rm", "--recursive", KEPT));
        await deletePod(podContext, testPod);
        await Eventually(
          "its address is released",
          () => readObject("UnderlayAddress", GROUP_VERSION, { name: ip }),
          (object) => object === undefined,
          POLL,
        );
        await By("the state after a reboot: files and objects without network namespace", async () => {
          await ensureObject(api, {
            apiVersion: GROUP_VERSION,
            kind: "UnderlayAddress",
            metadata: { name: ip },
            spec: claim.spec,
          } as never);
          await execOnNode(node, "cp", "--archive", record.replace(NODE_STATE_DIRECTORY, KEPT), record);
        });
        await Eventually(
          "the record is removed",
          () => fixture.cluster.exec(node, ["ls", record]),
          ({ exitCode }) => exitCode !== 0,
          POLL,
        );
        assert.equal((await execOnNode(node, "ip", "route", "show", `${ip}/32`)).trim(), "");
        await By("the address is released", () =>
          Eventually(
            "its object is deleted",
            () => readObject("UnderlayAddress", GROUP_VERSION, { name: ip }),
            (object) => object === undefined,
            { timeout: 110_000 },
          ),
        );
        await Eventually(
          "its file is deleted",
          () => fixture.cluster.exec(node, ["ls", `${NODE_STATE_DIRECTORY}/addresses/${ip}.json`]),
          ({ exitCode }) => exitCode !== 0,
          POLL,
        );
      },
    );
  });
}

registerIfMain(import.meta.url, registerSpecs);
