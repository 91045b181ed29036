import assert from "node:assert/strict";
import type { CoreV1Api, KubernetesObjectApi } from "@kubernetes/client-node";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { collectSnapshot, takeSnapshot, type SnapshotTarget } from "./take-snapshot.ts";

/** A cluster with one node, one restarted pod, and no kind but Node. */
const target = {
  nodes: [{ name: "worker" }],
  exec: (_node: string, [program]: readonly string[]) =>
    program === "journalctl"
      ? Promise.reject(new Error("no such program\nHeaders: {}"))
      : Promise.resolve({ exitCode: program === "nft" ? 1 : 0, stdout: "token: abcdef\n", stderr: "not permitted" }),
  api: {
    objects: {
      list: (_version: string, kind: string) =>
        kind === "Node" ? Promise.resolve({ items: [{ kind }] }) : Promise.reject(new Error("HTTP-Code: 404")),
    } as unknown as KubernetesObjectApi,
    core: {
      listNamespacedPod: ({ namespace }: { namespace: string }) =>
        Promise.resolve({
          items:
            namespace === "kube-system"
              ? [
                  {
                    metadata: { name: "dns" },
                    status: {
                      containerStatuses: [
                        { name: "main", restartCount: 1 },
                        { name: "sidecar", restartCount: 0 },
                      ],
                    },
                  },
                ]
              : [],
        }),
      readNamespacedPodLog: ({ container, previous }: { container: string; previous: boolean }) =>
        previous ? Promise.reject(new Error("it was removed")) : Promise.resolve(`log of ${container}\n`),
    } as unknown as CoreV1Api,
  },
} satisfies SnapshotTarget;

describe("a snapshot", () => {
  it("lists in unavailable.txt what could not be read, a line each", async () => {
    const lines = (await collectSnapshot(target)).get("unavailable.txt")?.split("\n") ?? [];
    assert.ok(lines.includes("nodes/worker/kubelet.log: no such program"), lines.join("\n"));
    assert.ok(lines.includes("objects/Pod.json: HTTP-Code: 404"), lines.join("\n"));
  });

  it("contains the error of a command that failed on a node", async () => {
    const text = (await collectSnapshot(target)).get("nodes/worker/nft.txt");
    assert.match(text ?? "", /^# nft list ruleset ended with 1: not permitted\n/);
  });

  it("contains the logs of every container, and of the one before a restart", async () => {
    const files = await collectSnapshot(target);
    const logs = [...files].filter(([name]) => name.startsWith("logs/")).sort();
    assert.deepEqual(logs, [
      ["logs/kube-system/dns/main.log", "log of main\n"],
      ["logs/kube-system/dns/main.previous.log", "# it was removed\n"],
      ["logs/kube-system/dns/sidecar.log", "log of sidecar\n"],
    ]);
  });

  it("contains no secret of a node", async () => {
    for (const [name, text] of await collectSnapshot(target)) assert.doesNotMatch(text, /abcdef/, name);
  });

  it("is rejected, not thrown, for a cluster that was removed: the run still writes its results", async () => {
    const cluster = { kubeconfig: "/missing/kubeconfig", nodes: [], exec: target.exec } as unknown as Cluster;
    const snapshot = takeSnapshot(cluster, new Map());
    await assert.rejects(snapshot, /missing/);
  });
});
