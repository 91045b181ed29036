import assert from "node:assert/strict";
import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { getIpFamily } from "../../clusters/spec/address-ranges.ts";
import { POD_TYPES, type PodType } from "../../results/schema.ts";
import { retryOnServerError, ensureObject } from "../support/cluster-api.ts";
import { DeferCleanup, Eventually, It, Skip } from "../harness.ts";
import { getExternalHost } from "../deployment/deploy.ts";
import { type Manifest, NAMESPACE as PEERS, buildNodePortName, podName } from "../pods/suite-pods.ts";
import { type Protocol, TCP_PORT, UDP_PORT } from "../probe/protocol.ts";
import type { Prober } from "../support/prober.ts";
import { type HttpProbe, findUnanswered } from "./http-probe.ts";
import { type RoutedHost, createRoutedHost, runOnExternalHost } from "./routed-host.ts";
import { buildUnderlayAddresses, findNetworkName } from "./networks.ts";
import {
  NETWORKS_ANNOTATION,
  type PluginPod,
  findPodNic,
  DEFAULT_NETWORK_ANNOTATION,
  type PluginContext,
} from "./plugin-context.ts";

/** Third number of the load balancers' addresses. */
const BALANCED = 204;
const EXTERNAL_IP = 205;

export const BEHIND_GATEWAY: readonly PluginPod[] = [
  { name: "beyond", node: 0, annotations: { [DEFAULT_NETWORK_ANNOTATION]: findNetworkName("beyond") } },
  { name: "beyond-more", node: 0, annotations: { [NETWORKS_ANNOTATION]: findNetworkName("beyond") } },
];

/** Registers specs for replies, which must leave by the link of their requests, for every client. */
export function registerReplySpecs(context: () => PluginContext): void {
  for (const type of POD_TYPES)
    It(
      `a LoadBalancer with externalTrafficPolicy Local for ${type} pods: ingress and externalIPs work by each node and keep the client's address`,
      async () => {
        const { deployment } = context();
        const routedHost = await createRoutedHost(context());
        if (routedHost !== undefined) DeferCleanup(() => routedHost.close());
        const addresses = await createBalancedService(context(), type);
        const from = await deployment.getProber("external");
        for (const node of context().workers.keys()) {
          await routeToNode(context(), addresses, node);
          await waitUntilKnown(from, addresses, podName(type, node, "b"));
          const probes = addresses.flatMap((address) => {
            const seen = deployment.getAddress("external", "main", getIpFamily(address));
            const common = { address, server: podName(type, node, "b") };
            return (["tcp", "udp"] as const).flatMap((protocol): HttpProbe[] => [
              { ...common, protocol, from, seen },
              ...(routedHost === undefined
                ? []
                : [
                    { ...common, protocol, from: routedHost.prober, seen: routedHost.getAddress(getIpFamily(address)) },
                  ]),
            ]);
          });
          assert.deepEqual(await findUnanswered(probes), [], `by node ${node + 1}`);
        }
      },
    );

  It("a routed host reaches NodePorts with policy Local and the pods' own addresses", async () => {
    const routedHost = await createRoutedHost(context());
    if (routedHost === undefined) Skip("the external host may not create a network behind itself");
    DeferCleanup(() => routedHost.close());
    const addressProbes = await listAddressProbes(context(), routedHost);
    assert.deepEqual(
      await findUnanswered(addressProbes),
      [],
      "into an underlay pod's eth0, and into net1 while eth0 has the default route",
    );
    for (const type of POD_TYPES)
      for (const node of context().workers.keys())
        assert.deepEqual(
          await probeNodePorts(context(), routedHost, type, node),
          [],
          `${type} pods, by node ${node + 1}`,
        );
  });
}

/** Creates a Service for pods of the type. @returns a load balancer's address and an external IP in each family */
async function createBalancedService(
  { api, cluster, families }: PluginContext,
  type: PodType,
): Promise<readonly string[]> {
  const index = POD_TYPES.indexOf(type);
  const ingress = buildUnderlayAddresses(cluster.spec, BALANCED, index + 1);
  const externalIPs = buildUnderlayAddresses(cluster.spec, EXTERNAL_IP, index + 1);
  const name = `balanced-${type}`;
  const service: Manifest = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: PEERS },
    spec: {
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      selector: { answers: type },
      externalIPs,
      ...(families.length === 1 ? {} : { ipFamilyPolicy: "RequireDualStack" }),
      ports: [
        { name: "tcp", protocol: "TCP", port: TCP_PORT },
        { name: "udp", protocol: "UDP", port: UDP_PORT },
      ],
    },
  };
  await ensureObject(api, service);
  DeferCleanup(() => api.objects.delete(service));
  await retryOnServerError(() =>
    api.core.patchNamespacedServiceStatus(
      { name, namespace: PEERS, body: { status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    ),
  );
  return [...ingress, ...externalIPs];
}

/** Routes packets for these addresses to a node, as a load balancer does. */
async function routeToNode({ deployment }: PluginContext, addresses: readonly string[], node: number): Promise<void> {
  const external = getExternalHost(deployment.external);
  for (const address of addresses) {
    const via = deployment.getAddress(`node-${node + 1}`, "main", getIpFamily(address));
    await runOnExternalHost(external, ["ip", "route", "replace", address, "via", via]);
    DeferCleanup(() => external.exec(["ip", "route", "delete", address]));
  }
}

/** Waits until kube-proxy has written the rules of a new Service. */
async function waitUntilKnown(from: Prober, addresses: readonly string[], server: string): Promise<void> {
  for (const address of addresses)
    await Eventually(
      `${server} answers at ${address}`,
      () => from.probe({ protocol: "tcp", address, port: TCP_PORT, timeoutMs: 1000 }),
      (answer) => answer.server === server,
    );
}

async function listAddressProbes(context: PluginContext, routedHost: RoutedHost): Promise<readonly HttpProbe[]> {
  const nics = await Promise.all(
    BEHIND_GATEWAY.map(async ({ name, annotations }) => ({
      name,
      addresses: (
        await findPodNic(context, name, annotations[DEFAULT_NETWORK_ANNOTATION] === undefined ? "net1" : "eth0")
      ).addresses,
    })),
  );
  return nics.flatMap(({ name, addresses }) =>
    addresses.flatMap((address) =>
      (["tcp", "udp", "icmp"] as const).map((protocol) => ({
        from: routedHost.prober,
        address,
        protocol,
        server: name,
        seen: routedHost.getAddress(getIpFamily(address)),
      })),
    ),
  );
}

async function probeNodePorts(
  context: PluginContext,
  routedHost: RoutedHost,
  type: PodType,
  node: number,
): Promise<readonly string[]> {
  const { deployment, families } = context;
  const server = podName(type, node, "b");
  const lines = await Promise.all(
    families.flatMap((family) =>
      (["tcp", "udp"] satisfies Protocol[]).map(async (protocol) => {
        const to = { kind: "node-port", service: buildNodePortName(type, "Local"), node } as const;
        const { address, port } = deployment.locate({ to, protocol, port: TCP_PORT, family });
        const probeOnce = () => routedHost.prober.probe({ protocol, address, port, timeoutMs: 2000 });
        const firstAnswer = await probeOnce();
        const { ok, server: answeringServer, seen, error } = firstAnswer.ok ? firstAnswer : await probeOnce();
        const isExpected = ok && answeringServer === server && seen === routedHost.getAddress(family);
        return isExpected
          ? []
          : [`${address}:${port} (${protocol}): ${error ?? `${answeringServer ?? ""} saw ${seen ?? ""}`}`];
      }),
    ),
  );
  return lines.flat();
}
