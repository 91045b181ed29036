import assert from "node:assert/strict";
import { z } from "zod";
import { getIpFamily } from "../../clusters/spec/address-ranges.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import { It, Skip } from "../harness.ts";
import { getExternalHost } from "../deployment/deploy.ts";
import { buildUnderlayAddresses, type NetworkObject, findNetworkName, RANGES, SILENT_GATEWAY } from "./networks.ts";
import {
  type PluginPod,
  findPodNic,
  DEFAULT_NETWORK_ANNOTATION,
  waitForEvent,
  type PluginContext,
} from "./plugin-context.ts";
import { findInFamily } from "./find-in-family.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const FIXED = "interlay.dev/ip";
export const PROBING_NETWORK = "careful";
/** Last number of free addresses. */
const FREE = 30;
/** Last numbers of the addresses of another machine: of IPv4 and of IPv6. */
const HELD = { ipv4: 9, ipv6: 10 } as const;

const createCarefulPod = (name: string, annotations: Readonly<Record<string, string>>): PluginPod => ({
  name,
  node: 0,
  annotations: { [DEFAULT_NETWORK_ANNOTATION]: findNetworkName("careful"), ...annotations },
});

/** Builds the pod that conflictDetection and gatewayDetection let start. */
export const createProbingPod = ({ cluster }: PluginContext): PluginPod =>
  createCarefulPod(PROBING_NETWORK, { [FIXED]: buildUnderlayAddresses(cluster.spec, RANGES.fixed, FREE).join(",") });
export const PROBE_OPTIONS: readonly PluginPod[] = [
  { name: "options", node: 0, annotations: { [DEFAULT_NETWORK_ANNOTATION]: findNetworkName("options") } },
  { name: "options-more", node: 0, annotations: { "k8s.v1.cni.cncf.io/networks": findNetworkName("options") } },
];

/** Lists pods that never become ready: another machine has the address, or no gateway answers. */
export function listRejectedPods({ cluster, families }: PluginContext): readonly PluginPod[] {
  return [
    ...families.map((family) =>
      createCarefulPod(`held-${family}`, {
        [FIXED]: buildUnderlayAddresses(cluster.spec, RANGES.fixed, HELD[family]).join(","),
      }),
    ),
    { name: "silent", node: 0, annotations: { [DEFAULT_NETWORK_ANNOTATION]: findNetworkName("silent") } },
  ];
}

/** Lists the addresses that the external host takes. */
export function listHeldAddresses({ cluster, families }: PluginContext): readonly string[] {
  return families.map((family) =>
    findInFamily(buildUnderlayAddresses(cluster.spec, RANGES.fixed, HELD[family]), family),
  );
}

const addressInConflict = z.object({ spec: z.object({ conflict: z.string() }) });

/** Deletes addresses that are marked as in conflict, as an operator would: they stay marked after the conflict. */
export async function releaseConflicts({ objects }: ClusterApi): Promise<void> {
  const { items } = await objects.list(GROUP_VERSION, "UnderlayAddress");
  for (const name of items.flatMap((item) =>
    addressInConflict.safeParse(item).success ? (item.metadata?.name ?? []) : [],
  )) {
    const object: Omit<NetworkObject, "spec"> = {
      apiVersion: GROUP_VERSION,
      kind: "UnderlayAddress",
      metadata: { name },
    };
    await objects.delete(object);
  }
}

export function registerDuplicateAddressSpecs(context: () => PluginContext): void {
  for (const family of ["ipv4", "ipv6"] as const)
    It(
      `conflictDetection: an ${family} address of another machine is reported on the pod${family === "ipv4" ? ", with its MAC" : ""}`,
      async () => {
        const held = listHeldAddresses(context()).find((address) => getIpFamily(address) === family);
        if (held === undefined) Skip(`the cluster has no ${family}`);
        const { stdout } = await getExternalHost(context().deployment.external).exec([
          "cat",
          "/sys/class/net/eth0/address",
        ]);
        const pattern = `${held.replaceAll(".", "\\.")}, meant for eth0 of pod \\S+/held-${family}, is already used by ${stdout.trim()}`;
        if (family === "ipv4")
          await waitForEvent(context(), `held-${family}`, "UnderlayWiringFailed", new RegExp(pattern));
        // With an IPv6 gateway the reference macvlan waits for the kernel's own detection, before Interlay's plugin is called.
        else
          await waitForEvent(
            context(),
            `held-${family}`,
            "FailedCreatePodSandBox",
            new RegExp(`${pattern}|${held} in DADFAILED state`),
          );
      },
    );

  It("gatewayDetection: a gateway that does not answer is reported on the pod", () => {
    const gateways = buildUnderlayAddresses(context().cluster.spec, 168, SILENT_GATEWAY)
      .join(" and ")
      .replaceAll(".", "\\.");
    return waitForEvent(
      context(),
      "silent",
      "UnderlayWiringFailed",
      new RegExp(`${gateways}, gateway of eth0 of pod \\S+/silent, did not`),
    );
  });

  It(
    "conflictDetection and gatewayDetection: a pod starts with a free address and a gateway that answers",
    async () => {
      const { addresses } = await findPodNic(context(), PROBING_NETWORK, "eth0");
      assert.deepEqual(addresses, buildUnderlayAddresses(context().cluster.spec, RANGES.fixed, FREE));
    },
  );
}
