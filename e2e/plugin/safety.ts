import assert from "node:assert/strict";
import { z } from "zod";
import { familyOf } from "../../clusters/spec.ts";
import type { ClusterApi } from "../cluster-api.ts";
import { It, Skip } from "../harness.ts";
import { outsideHost } from "../pods/deploy.ts";
import { addressesAt, type Made, networkNamed, RANGES, SILENT } from "./networks.ts";
import { type Guest, inFamily, nicOf, ONLY, says, type World } from "./world.ts";

const FIXED = "interlay.dev/ip";
export const CAREFUL = "careful";
/** Last number of addresses that nobody has. */
const FREE = 30;
/** Last numbers of addresses that somebody else has: an IPv4 one, and an IPv6 one. */
const HELD = { ipv4: 9, ipv6: 10 } as const;

const careful = (name: string, annotations: Readonly<Record<string, string>> = {}): Guest => ({
  name,
  node: 0,
  annotations: { [ONLY]: networkNamed("careful"), ...annotations },
});

/** The pod that both options let through. */
export const carefulGuest = ({ cluster }: World): Guest =>
  careful(CAREFUL, { [FIXED]: addressesAt(cluster.spec, RANGES.fixed, FREE).join(",") });
export const OPTIONS: readonly Guest[] = [
  { name: "options", node: 0, annotations: { [ONLY]: networkNamed("options") } },
  { name: "options-more", node: 0, annotations: { "k8s.v1.cni.cncf.io/networks": networkNamed("options") } },
];

/** Never ready: somebody else has the address, or nobody is the gateway. */
export function unsafe({ cluster, families }: World): readonly Guest[] {
  return [
    ...families.map((family) =>
      careful(`held-${family}`, { [FIXED]: addressesAt(cluster.spec, RANGES.fixed, HELD[family]).join(",") }),
    ),
    { name: "silent", node: 0, annotations: { [ONLY]: networkNamed("silent") } },
  ];
}

/** What the host outside takes for itself. */
export function heldAddresses({ cluster, families }: World): readonly string[] {
  return families.map((family) => inFamily(addressesAt(cluster.spec, RANGES.fixed, HELD[family]), family));
}

const marked = z.object({ spec: z.object({ conflict: z.string() }) });

/** An address that another host answered for stays marked until an operator lets it go: here that is us. */
export async function letConflictsGo({ objects }: ClusterApi): Promise<void> {
  const { items } = await objects.list("interlay.dev/v1alpha1", "UnderlayAddress");
  for (const name of items.flatMap((one) => (marked.safeParse(one).success ? (one.metadata?.name ?? []) : []))) {
    const object: Omit<Made, "spec"> = {
      apiVersion: "interlay.dev/v1alpha1",
      kind: "UnderlayAddress",
      metadata: { name },
    };
    await objects.delete(object);
  }
}

export function safetySpecs(world: () => World): void {
  for (const family of ["ipv4", "ipv6"] as const)
    It(
      `conflictDetection: an ${family} address that another machine has is told on the pod${family === "ipv4" ? ", with its MAC" : ""}`,
      async () => {
        const held = heldAddresses(world()).find((address) => familyOf(address) === family);
        if (held === undefined) Skip(`the cluster has no ${family}`);
        const { stdout } = await outsideHost(world().deployment.external).exec(["cat", "/sys/class/net/eth0/address"]);
        const words = `${held.replaceAll(".", "\\.")}, meant for eth0 of pod \\S+/held-${family}, is held by ${stdout.trim()}`;
        if (family === "ipv4") await says(world(), `held-${family}`, "UnderlayWiringFailed", new RegExp(words));
        // With an IPv6 gateway the reference macvlan waits for the kernel's own detection, before our plugin is asked.
        else
          await says(
            world(),
            `held-${family}`,
            "FailedCreatePodSandBox",
            new RegExp(`${words}|${held} in DADFAILED state`),
          );
      },
    );

  It("gatewayDetection: a gateway that does not answer is told on the pod", () => {
    const gateways = addressesAt(world().cluster.spec, 168, SILENT).join(" and ").replaceAll(".", "\\.");
    return says(
      world(),
      "silent",
      "UnderlayWiringFailed",
      new RegExp(`${gateways}, gateway of eth0 of pod \\S+/silent, did not`),
    );
  });

  It("both options with a free address and a gateway that answers: the pod has it", async () => {
    const { addresses } = await nicOf(world(), CAREFUL, "eth0");
    assert.deepEqual(addresses, addressesAt(world().cluster.spec, RANGES.fixed, FREE));
  });
}
