import assert from "node:assert/strict";
import { It } from "../harness.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { Prober } from "../support/prober.ts";
import { CLIENT } from "../deployment/deploy.ts";
import { ON_NODE, findNetworkName } from "./networks.ts";
import {
  NETWORKS_ANNOTATION,
  type PluginPod,
  execInPluginPod,
  PLUGIN_NAMESPACE,
  findPodNic,
  DEFAULT_NETWORK_ANNOTATION,
  waitForEvent,
  UNDERLAY,
  type PluginContext,
} from "./plugin-context.ts";
import { buildHostPodName } from "../pods/suite-pods.ts";
import { DeferCleanup } from "../harness.ts";
import { findInFamily } from "./find-in-family.ts";

const ANNOTATION = "interlay.dev/default-route-nic";
const createPodWithDefault = (name: string, networks: string, nic: string): PluginPod => ({
  name,
  node: 0,
  annotations: { [NETWORKS_ANNOTATION]: networks, [ANNOTATION]: nic },
});

const CHOSEN = [
  { testPod: createPodWithDefault("by-net1", UNDERLAY, "net1"), nic: "net1" },
  { testPod: createPodWithDefault("by-first", `${UNDERLAY},${UNDERLAY}`, "net1"), nic: "net1" },
  { testPod: createPodWithDefault("by-last", `${UNDERLAY},${UNDERLAY}`, "net2"), nic: "net2" },
  { testPod: createPodWithDefault("by-name", `${UNDERLAY}@lan0,${UNDERLAY}@storage`, "storage"), nic: "storage" },
] as const;
/** A pod whose annotation names an unknown NIC, so that it never becomes ready. */
export const INVALID_DEFAULT_ROUTE = createPodWithDefault("by-none", UNDERLAY, "lan9");
/** Destinations that only the node has; the pod's default route leads elsewhere. */
const HIJACKED: readonly PluginPod[] = [
  { name: "hijack", node: 0, annotations: { [DEFAULT_NETWORK_ANNOTATION]: findNetworkName("hijack") } },
  createPodWithDefault("hijack-more", findNetworkName("hijack"), "net1"),
];
export const ROUTING_PODS: readonly PluginPod[] = [...CHOSEN.map(({ testPod }) => testPod), ...HIJACKED];

export function registerRoutingSpecs(context: () => PluginContext): void {
  for (const { testPod, nic } of CHOSEN)
    It(
      `${ANNOTATION}: ${nic} of ${testPod.annotations[NETWORKS_ANNOTATION] ?? ""} has the only default route, and sends with its address`,
      async () => {
        const { addresses } = await findPodNic(context(), testPod.name, nic);
        for (const family of context().families) {
          const ip = (...argv: readonly string[]) =>
            execInPluginPod(context(), testPod.name, "ip", family === "ipv4" ? "-4" : "-6", ...argv);
          assert.match(
            await ip("route", "show", "default"),
            new RegExp(`^default via \\S+ dev ${nic} [^\\n]*\\n?$`),
            family,
          );
          const unknownAddress = family === "ipv4" ? "203.0.113.1" : "2001:db8::1";
          const route = await ip("route", "get", unknownAddress);
          assert.match(
            route,
            new RegExp(` dev ${nic} .*src ${findInFamily(addresses, family)}\\b`),
            `to ${unknownAddress}`,
          );
        }
      },
    );

  It(`${ANNOTATION}: an unknown NIC is reported on the pod, with its NICs`, () =>
    waitForEvent(
      context(),
      INVALID_DEFAULT_ROUTE.name,
      "NoUnderlayAddress",
      /invalid annotation interlay\.dev\/default-route-nic "lan9" of pod \S+: the pod's NICs are eth0, net1/,
    ),
  );

  It(
    "hijackCIDRs: only underlay and multi-NIC pods with the option reach a destination that only the node has",
    async () => {
      const { api, deployment, families } = context();
      const findServer = async (prober: Prober, address: string) => {
        const { server } = await prober.probe({ protocol: "tcp", address, port: TCP_PORT, timeoutMs: 2000 });
        return server;
      };
      const plainProber = await deployment.getProber("underlay-1-a");
      for (const family of families) {
        const address = ON_NODE[family];
        for (const { name } of HIJACKED) {
          const prober = new Prober(name, await api.attach(PLUGIN_NAMESPACE, name, CLIENT));
          DeferCleanup(() => prober.close());
          assert.equal(await findServer(prober, address), buildHostPodName(0), `${name} -> ${address}`);
        }
        assert.equal(
          await findServer(plainProber, address),
          undefined,
          `underlay-1-a, which has no such option, -> ${address}`,
        );
      }
    },
  );
}
