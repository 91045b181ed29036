import { BlockList } from "node:net";
import type { ClusterSpec } from "../../clusters/spec/cluster-spec.ts";
import { type IpFamily, getIpFamily } from "../../clusters/spec/address-ranges.ts";
import { POD_TYPES } from "../../results/schema.ts";
import type { DeployedPod } from "../deployment/deployed-pods.ts";
import { isOnUnderlay } from "../cells/cell.ts";

type Networks = Pick<ClusterSpec, "overlayCidr" | "underlayCidr" | "ipv6">;

/**
 * Returns what is wrong with the pods' addresses: PodIPs of overlay and multi-NIC pods belong to the overlay, those of
 * underlay pods and net1 to the underlay. A network that is not known (empty) is not judged. Pure.
 */
export function findForeignAddresses(pods: Iterable<DeployedPod>, networks: Networks): readonly string[] {
  return [...pods].flatMap(({ name, addresses }) => {
    const type = POD_TYPES.find((podType) => new RegExp(`^${podType}-\\d+-[ab]$`).test(name));
    if (type === undefined) return []; // a pod in its node's network
    return (["main", "net1"] as const).flatMap((nic) =>
      Object.values(addresses[nic]).flatMap((address) => {
        const network = findNetwork(
          networks,
          isOnUnderlay(type, nic) ? "underlayCidr" : "overlayCidr",
          getIpFamily(address),
        );
        return network === undefined || cidrContains(network, address)
          ? []
          : [`${name} has ${address} on ${nic}, which is outside of ${network}`];
      }),
    );
  });
}

function findNetwork(networks: Networks, field: "overlayCidr" | "underlayCidr", family: IpFamily): string | undefined {
  return [networks[field], networks.ipv6?.[field]].find(
    (cidr) => cidr !== undefined && cidr !== "" && getIpFamily(cidr) === family,
  );
}

function cidrContains(cidr: string, address: string): boolean {
  const [network = "", length = ""] = cidr.split("/");
  const list = new BlockList();
  list.addSubnet(network, Number(length), getIpFamily(cidr));
  return list.check(address, getIpFamily(address));
}
