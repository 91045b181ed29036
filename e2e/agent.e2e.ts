import assert from "node:assert/strict";
import type { KubernetesObject } from "@kubernetes/client-node";
import { ensureDebianPackages } from "../clusters/components/packages.ts";
import { plainProgress } from "../clusters/progress-plain.ts";
import type { Cluster } from "../clusters/provider.ts";
import { must, signalAgent, signalProcess } from "./agent-process.ts";
import { removals, type Wired } from "./agent/removals.ts";
import { type End, netnsOf, stream } from "./agent/streams.ts";
import { type ClusterApi, clusterApi, ensure } from "./cluster-api.ts";
import { theCluster } from "./context.ts";
import { BeforeAll, By, Consistently, DeferCleanup, Describe, Eventually, It } from "./harness.ts";
import type { Nic } from "./matrix/cells.ts";
import { switchTo } from "./matrix/variant.ts";
import { deploy, type Deployment } from "./pods/deploy.ts";
import { NAMESPACE } from "./pods/pods.ts";
import { TCP_PORT } from "./probe/protocol.ts";

const REPAIR_MS = 1000;
const STREAM_LINES = 15;

Describe("agent: the node stays true", { labels: ["agent"] }, () => {
  let cluster: Cluster;
  let api: ClusterApi;
  let deployment: Deployment;
  let nodes: readonly string[];
  const on = (node: string, ...argv: readonly string[]) => must(cluster, node, argv);
  const end = async (pod: string, nic: Nic = "main"): Promise<End> => {
    const node = deployment.pods.get(pod)?.node ?? "";
    const address = deployment.addressOf(pod, nic);
    return { node, address, netns: await netnsOf(cluster, node, address) };
  };
  const reaches = async (from: string, address: string, protocol: "tcp" | "udp" = "tcp"): Promise<boolean> => {
    const prober = await deployment.prober(from);
    return (await prober.probe({ protocol, address, port: TCP_PORT, timeoutMs: 1500 })).ok;
  };

  BeforeAll(
    async () => {
      cluster = await theCluster();
      // A lab's nodes have this computer's programs; kind's image has its own.
      if (cluster.provider === "lab") await ensureDebianPackages(["socat", "procps"], plainProgress());
      api = clusterApi(cluster);
      deployment = await By("the pods of the three types", () => deploy(cluster, api));
      DeferCleanup(() => deployment.closeProbers());
      nodes = deployment.workers;
      await switchTo(cluster, { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" });
    },
    { timeout: 300_000 },
  );

  It("puts back within a second whatever of ours is removed by hand", async () => {
    const [node = ""] = nodes;
    const underlay = await end("underlay-1-b");
    const multiNic = await end("multi-nic-1-b", "net1");
    const route = await on(node, "ip", "route", "show", `${underlay.address}/32`);
    const wired: Wired = {
      underlay: { ...underlay, link: /dev (\S+)/.exec(route)?.[1] ?? "" },
      multiNic,
      overlayCidr: cluster.spec.overlayCidr,
      nodeAddress: cluster.nodes.find(({ name }) => name === node)?.address ?? "",
    };
    for (const { what, remove, show, there } of removals(wired)) {
      assert.match(await on(node, ...show), there, `${what} is not there before`);
      await on(node, ...remove);
      const removed = Date.now();
      await Eventually(
        `${what} is put back`,
        async () => (await cluster.exec(node, show)).stdout,
        (text) => there.test(text),
        { timeout: 10_000, interval: 20 },
      );
      const took = Date.now() - removed;
      process.stdout.write(`      · ${what}: back after at most ${took} ms\n`);
      assert.ok(took <= REPAIR_MS, `${what} was put back after ${took} ms, more than ${REPAIR_MS}`);
    }
  });

  It("touches nothing of others", async () => {
    const [node = ""] = nodes;
    const foreign: readonly (readonly [make: string, undo: string, show: string, there: RegExp])[] = [
      ["ip route add 198.51.100.0/24 dev eth0", "ip route delete 198.51.100.0/24", "ip route", /198\.51\.100\.0\/24/],
      [
        "ip route add 198.51.100.1 dev eth0 table 500",
        "ip route delete 198.51.100.1 table 500",
        "ip route show table 500",
        /198\.51\.100\.1 /,
      ],
      ["ip rule add from 198.51.100.9 lookup 500 pref 999", "ip rule delete pref 999", "ip rule", /198\.51\.100\.9/],
      ["nft add table inet foreign", "nft delete table inet foreign", "nft list tables", /inet foreign/],
    ];
    for (const [make, undo] of foreign) {
      await on(node, ...make.split(" "));
      DeferCleanup(() => on(node, ...undo.split(" ")));
    }
    await By("kill the agent: the next one looks at all", () => signalAgent(cluster, node, "KILL"));
    await on(node, "nft", "delete", "table", "inet", "interlay");
    await Eventually(
      "the agent works",
      () => on(node, "nft", "list", "tables"),
      (text) => text.includes("inet interlay"),
      { timeout: 110_000 }, // kubelet waits longer each time before it starts a container that was killed
    );
    for (const [, , show, there] of foreign) assert.match(await on(node, ...show.split(" ")), there);
  });

  It("loses no connection when agent, felix and kube-proxy are killed", async () => {
    const [first = "", second = ""] = nodes;
    const [u, o, u2, o2, m2] = await Promise.all([
      end("underlay-1-a"),
      end("overlay-1-a"),
      end("underlay-2-b"),
      end("overlay-2-b"),
      end("multi-nic-2-b"),
    ]);
    const net1 = await end("multi-nic-1-b", "net1");
    const ways: readonly (readonly [string, End, End])[] = [
      ["underlay -> overlay on the other node", u, o2],
      ["underlay -> multi-NIC's overlay address on the other node", u, m2],
      ["overlay -> underlay on the other node", o, u2],
      ["overlay -> multi-NIC's net1 on the same node", o, net1],
      ["overlay -> underlay on the same node", o, await end("underlay-1-b")],
    ];
    const counts = Promise.all(
      ways.map(async ([way, client, server], index) => ({
        way,
        lines: await stream(cluster, client, server, STREAM_LINES, 7000 + index),
      })),
    );
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (const node of [first, second]) {
      await signalAgent(cluster, node, "KILL");
      await signalProcess(cluster, node, "calico-node -felix", "KILL");
      await signalProcess(cluster, node, "kube-proxy[^ ]* --", "KILL");
    }
    for (const { way, lines } of await counts) assert.equal(lines, STREAM_LINES, `${way} ended early`);
  });

  It(
    "a NetworkPolicy that denies holds, though the pod's own node does not track",
    { labels: ["policy"] },
    async () => {
      const target = deployment.addressOf("overlay-2-b", "main");
      assert.ok(await reaches("underlay-1-a", target), "no answer before the policy");
      const policy = {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: "deny", namespace: NAMESPACE },
        spec: {
          podSelector: { matchLabels: { probe: "overlay-2-b" } },
          policyTypes: ["Ingress"],
          ingress: [] as unknown[],
        },
      };
      await ensure(api, policy);
      DeferCleanup(() => api.objects.delete(policy));
      for (const protocol of ["tcp", "udp"] as const)
        await Eventually(
          `${protocol} is denied`,
          () => reaches("underlay-1-a", target, protocol),
          (ok) => !ok,
        );
      await By("allow the underlay pod's own address, and nobody else", () =>
        api.objects.patch({
          ...policy,
          spec: {
            ...policy.spec,
            // The client's name of `from`: by the other it is left out, and everybody allowed.
            ingress: [{ _from: [{ ipBlock: { cidr: `${deployment.addressOf("underlay-1-a", "main")}/32` } }] }],
          },
        } as KubernetesObject),
      );
      await Eventually(
        "the allowed one gets through",
        () => reaches("underlay-1-a", target),
        (ok) => ok,
      );
      // Felix takes its time to bring a changed policy into the kernel; from then on it holds.
      const stranger = () => reaches("underlay-2-a", target);
      await Eventually("one that is not allowed is denied", stranger, (ok) => !ok);
      await Consistently("one that is not allowed is denied", stranger, (ok) => !ok);
    },
  );

  It("an IPPool that is added reaches pods that run", async () => {
    const [, second = ""] = nodes;
    const pool = {
      apiVersion: "crd.projectcalico.org/v1",
      kind: "IPPool",
      metadata: { name: "added-later" },
      spec: { cidr: "10.234.0.0/24", vxlanMode: "Always", natOutgoing: true, blockSize: 28, nodeSelector: "all()" },
    };
    await ensure(api, pool);
    DeferCleanup(() => api.objects.delete(pool));
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "in-added-pool",
        namespace: NAMESPACE,
        annotations: { "cni.projectcalico.org/ipv4pools": '["10.234.0.0/24"]' },
      },
      spec: {
        nodeName: second,
        terminationGracePeriodSeconds: 0,
        containers: [
          { name: "probe", image: cluster.probeImage, env: [{ name: "PROBE_NAME", value: "in-added-pool" }] },
        ],
      },
    };
    await ensure(api, pod);
    DeferCleanup(() => api.core.deleteNamespacedPod({ name: "in-added-pool", namespace: NAMESPACE }));
    const address = await Eventually(
      "the pod runs",
      async () =>
        (await api.core.readNamespacedPod({ name: "in-added-pool", namespace: NAMESPACE })).status?.podIP ?? "",
      (ip) => ip.startsWith("10.234."),
      { timeout: 60_000 },
    );
    for (const from of ["underlay-1-a", "underlay-2-a", "multi-nic-1-a", "overlay-1-a"])
      await Eventually(
        `${from} -> ${address}`,
        () => reaches(from, address),
        (ok) => ok,
        { timeout: 110_000 },
      );
  });
});
