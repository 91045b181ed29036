import { existsSync } from "node:fs";
import { listAttachments } from "../../state/attachment.ts";
import { NetworkNamespace } from "../../datapath/kernel.ts";
import { Records } from "../records/address-records.ts";
import { NODE_ADDRESSES_SCHEMA, type NodeAddressSnapshot } from "./node-addresses-snapshot.ts";

interface PodNic {
  readonly containerId: string;
  readonly ifname: string;
  readonly netns: string;
  readonly pod: { readonly namespace: string; readonly name: string };
}

/** Reads this node's records and its pods' links; changes nothing. Root. */
export function observeNodeAddresses(node: string): NodeAddressSnapshot {
  const records = new Records().listRecords();
  const nics = new Map<string, PodNic>();
  for (const nic of [...listAttachments(), ...records])
    if (nic.netns !== "" && existsSync(nic.netns)) nics.set(`${nic.netns} ${nic.ifname}`, nic);
  return {
    schema: NODE_ADDRESSES_SCHEMA,
    node,
    records: records.map(({ name, address, containerId, ifname, pod, released, netns }) => ({
      name,
      address,
      containerId,
      ifname,
      pod,
      released,
      alive: netns !== "" && existsSync(netns),
    })),
    kernel: [...nics.values()].flatMap(readLinkAddresses),
  };
}

function readLinkAddresses({ containerId, ifname, netns, pod }: PodNic): NodeAddressSnapshot["kernel"] {
  let podNamespace: NetworkNamespace;
  try {
    podNamespace = new NetworkNamespace(netns);
  } catch {
    return []; // deleted in the meantime
  }
  try {
    const index = podNamespace.findLink(ifname)?.index;
    return podNamespace
      .listAddresses()
      .filter((entry) => entry.index === index && !entry.address.startsWith("fe80:"))
      .map(({ address }) => ({ address, containerId, ifname, netns, pod: `${pod.namespace}/${pod.name}` }));
  } finally {
    podNamespace.close();
  }
}
