import assert from "node:assert/strict";
import type { Cluster, RoutedClient } from "../../clusters/provider/provider.ts";
import type { Nic } from "../cells/cell.ts";
import { CLIENT, deployPods, type Deployment } from "../deployment/deploy.ts";
import { BeforeAll, By, DeferCleanup, Describe, It, Skip } from "../harness.ts";
import { NAMESPACE, podName } from "../pods/suite-pods.ts";
import { PROTOCOLS, TCP_PORT, UDP_PORT } from "../probe/protocol.ts";
import { type ClusterApi, removeNamespace } from "../support/cluster-api.ts";
import { Prober } from "../support/prober.ts";
import { setupCluster } from "../support/setup-cluster.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

const PORTS = { tcp: TCP_PORT, udp: UDP_PORT, icmp: 0 } as const;
const PROBE_TIMEOUT_MS = 5000;
/** Underlay addresses by the pods that have them. */
const TARGETS: readonly { readonly type: "underlay" | "multi-nic"; readonly nic: Nic }[] = [
  { type: "underlay", nic: "main" },
  { type: "multi-nic", nic: "net1" },
];

/** A client behind a router of the underlay reaches underlay addresses, which answer by the underlay's gateway. */
export function registerSpecs(run: TestRun): void {
  Describe("a client of another network", { labels: ["client-network"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;
    let deployment: Deployment;
    let host: RoutedClient;
    let prober: Prober;

    BeforeAll(
      async () => {
        ({ cluster, api } = await setupCluster(run));
        if (cluster.startRoutedClient === undefined) Skip(`provider ${cluster.provider} cannot start one`);
        deployment = await By("the pods of the three types", () => deployPods(cluster, api));
        DeferCleanup(() => deployment.closeProbers());
        if (!run.options.keep) DeferCleanup(() => removeNamespace(api, NAMESPACE));
        host = await cluster.startRoutedClient();
        DeferCleanup(() => host.stop());
        prober = await new Prober("the client", await host.attach(CLIENT)).waitUntilStarted();
        DeferCleanup(() => prober.close());
      },
      { timeout: 0 },
    );

    for (const { type, nic } of TARGETS)
      for (const protocol of PROTOCOLS)
        It(`reaches ${nic === "net1" ? "net1 of multi-NIC" : type} pods on every node by ${protocol}`, async () => {
          for (const [index, node] of deployment.workers.entries()) {
            const name = podName(type, index, "b");
            const address = deployment.getAddress(name, nic, "ipv4");
            const request = { protocol, address, port: PORTS[protocol], timeoutMs: PROBE_TIMEOUT_MS };
            const { ok, error, server, seen } = await prober.probe(request);
            assert.ok(ok, `${name} (${address}) on ${node}: ${error}`);
            if (protocol === "icmp") continue;
            assert.deepEqual({ server, seen }, { server: name, seen: host.address });
          }
        });
  });
}

registerIfMain(import.meta.url, registerSpecs);
