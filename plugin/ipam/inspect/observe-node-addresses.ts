import { existsSync } from "node:fs";
import { listAttachments } from "../../state/attachment.ts";
import { NetworkNamespace } from "../../datapath/kernel.ts";
import { Records } from "../records/address-records.ts";
import { NODE_ADDRESSES_SCHEMA, type NodeAddressSnapshot } from "./node-addresses-snapshot.ts";

interface Seen {
  readonly containerId: string;
  readonly ifname: string;
  readonly netns: string;
  readonly pod: { readonly namespace: string; readonly name: string };
}

/** Reads this node's records and its pods' links; changes nothing. Root. */
export function observeNodeAddresses(node: string): NodeAddressSnapshot {
  const records = new Records().listRecords();
  const nics = new Map<string, Seen>();
  for (const one of [...listAttachments(), ...records])
    if (one.netns !== "" && existsSync(one.netns)) nics.set(`${one.netns} ${one.ifname}`, one);
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

function readLinkAddresses({ containerId, ifname, netns, pod }: Seen): NodeAddressSnapshot["kernel"] {
  let inside: NetworkNamespace;
  try {
    inside = new NetworkNamespace(netns);
  } catch {
    return []; // deleted in the meantime
  }
  try {
    const index = inside.findLink(ifname)?.index;
    return inside
      .listAddresses()
      .filter((one) => one.index === index && !one.address.startsWith("fe80:"))
      .map(({ address }) => ({ address, containerId, ifname, netns, pod: `${pod.namespace}/${pod.name}` }));
  } finally {
    inside.close();
  }
}
