import { readFileSync } from "node:fs";
import { readLastFacts } from "../state/facts-file.ts";
import { readFilters } from "../agent/kube-proxy/packet-filters.ts";
import { findForwardDrop } from "../agent/kube-proxy/forward-chain.ts";
import { KubeProxyObserver } from "../agent/kube-proxy/kube-proxy-observer.ts";
import { findOtherDrops } from "../agent/kube-proxy/invalid-drops.ts";
import { readNodeLinks } from "../agent/reconcile/overlay-routes.ts";
import { readListing } from "../agent/reconcile/apply-node-table.ts";
import { type Attachment, listAttachments } from "../state/attachment.ts";
import { NetworkNamespace, withNamespaces } from "../datapath/kernel.ts";
import { NameserverReader } from "./nameservers.ts";
import { NODE_LINK_PREFIX } from "../datapath/names.ts";
import { describeItem, MAIN_TABLE } from "../datapath/plan-item.ts";
import { readDrift } from "../datapath/apply/read-drift.ts";
import { type GuardCount, readGuardCounts } from "../datapath/apply/source-guard.ts";
import { collectNode } from "../trace/collect/collect-node.ts";
import { readExemptCidrs } from "../datapath/plan/node-table.ts";
import { decodeLink, encodeLinkName, RTM_LINK } from "../netlink/link.ts";
import { decodeNeighbour, encodeNeighbourDump, RTM_NEIGHBOUR } from "../netlink/neighbour.ts";
import { decodeRoute, encodeRouteDump, RTM_ROUTE } from "../netlink/route.ts";
import { observePlugins } from "./observe-plugins.ts";
import { type AttachmentSnapshot, NODE_SNAPSHOT_SCHEMA, type NodeSnapshot } from "./node-snapshot.ts";

const FAMILIES = ["ipv4", "ipv6"] as const;
/** Links whose reverse path filter is read, in addition to the uplink. */
const FILTERED = ["vxlan.calico"];

/** Reads the state of this node. Needs root in the node's network namespace. Changes nothing and sends no packet. */
export async function observeNode(name: string): Promise<NodeSnapshot> {
  const facts = readLastFacts();
  const node = new NetworkNamespace();
  try {
    const links = node.socket
      .dump("links", RTM_LINK.get, encodeLinkName())
      .map(({ payload }) => decodeLink(payload))
      .filter((link) => link.kind !== "veth" || link.name === facts?.uplink || link.name.startsWith(NODE_LINK_PREFIX));
    const uplink = links.find((link) => link.name === facts?.uplink)?.index;
    const filters = await readFilters();
    const listing = readListing();
    const { version, mode, invalidDropRule } = await new KubeProxyObserver().observe(filters);
    return {
      schema: NODE_SNAPSHOT_SCHEMA,
      node: name,
      facts:
        facts === undefined
          ? null
          : {
              addresses: [...facts.node.addresses],
              uplink: facts.uplink,
              overlayCidrs: [...facts.overlayCidrs],
              serviceCidrs: [...facts.serviceCidrs],
              refused: [...facts.refusedNetworks],
              returnPath: facts.returnPath,
            },
      links: links.map((link) => ({ name: link.name, up: link.up, mtu: link.mtu })),
      ipForward: readSysctl("ipv4/ip_forward") === "1",
      tcpBeLiberal: readTcpBeLiberal(readSysctl("netfilter/nf_conntrack_tcp_be_liberal")),
      rpFilter: Object.fromEntries(
        [...FILTERED, ...(facts === undefined ? [] : [facts.uplink])].map((link) => [
          link,
          Math.max(...["all", link].map((key) => Number(readSysctl(`ipv4/conf/${key}/rp_filter`) ?? 0))),
        ]),
      ),
      kubeProxy: { version, mode, invalidDropRule },
      forwardDrops:
        facts !== undefined &&
        (["iptables", "iptables-legacy"] as const).some((program) =>
          findForwardDrop(program, filters.saved[program], facts),
        ),
      notrack: [...readExemptCidrs(listing ?? "")],
      serviceRules: (["ipv4", "ipv6"] as const).filter((family) => filters.translators[family] !== undefined),
      otherInvalidDrops:
        facts === undefined ? [] : [...findOtherDrops(filters, readNodeLinks(facts.overlayCidrs, facts.uplink))],
      attachments: observeAttachments(readGuardCounts(node)),
      neighbours: readNeighbours(node, uplink),
      ...observePlugins(),
      trace: await collectNode(name).catch(() => null),
    };
  } finally {
    node.close();
  }
}

function observeAttachments(guards: readonly GuardCount[]): AttachmentSnapshot[] {
  const reader = new NameserverReader();
  return listAttachments().map((attachment) => {
    const nameservers = reader.read(attachment.netns);
    const observed = observeAttachment(attachment, countForgedPackets(attachment, guards));
    return nameservers === undefined ? observed : { ...observed, nameservers: [...nameservers] };
  });
}

function countForgedPackets({ plan }: Attachment, guards: readonly GuardCount[]): number {
  const pairs = plan.items.flatMap((item) => (item.kind === "veth" ? [item.node.name] : []));
  return guards.filter(({ device }) => pairs.includes(device)).reduce((sum, { packets }) => sum + packets, 0);
}

function observeAttachment(attachment: Attachment, forgedPackets: number): AttachmentSnapshot {
  const { plan, ifname, pod } = attachment;
  const addresses = plan.items.flatMap((item) =>
    item.kind === "route" && item.where === "node" ? [item.destination.replace(/\/\d+$/, "")] : [],
  );
  const type = plan.items.some(({ kind }) => kind === "veth")
    ? "underlay"
    : addresses.length > 0
      ? "multi-nic"
      : "other";
  const recorded = { pod: `${pod.namespace}/${pod.name}`, ifname, type, addresses, forgedPackets } as const;
  try {
    return withNamespaces(attachment.netns, (node, podNamespace) => {
      const link = podNamespace.findLink(ifname);
      return {
        ...recorded,
        ...(link === undefined ? {} : { mac: link.mac, mtu: link.mtu }),
        drift: readDrift(plan, node, podNamespace).map((item) => ({
          kind: item.kind,
          where: item.kind === "veth" ? "node" : item.where,
          line: describeItem(item),
          reason: item.reason,
        })),
        routes: readRoutes(podNamespace),
        neighbours: readNeighbours(podNamespace, link?.index),
      };
    });
  } catch {
    return { ...recorded, drift: [], routes: [], neighbours: [] }; // the pod has been deleted
  }
}

function readNeighbours(namespace: NetworkNamespace, linkIndex: number | undefined): NodeSnapshot["neighbours"] {
  return FAMILIES.flatMap((family) =>
    namespace.socket
      .dump("neighbours", RTM_NEIGHBOUR.get, encodeNeighbourDump(family))
      .flatMap(({ payload }) => decodeNeighbour(payload) ?? [])
      .filter(({ link, mac }) => link === linkIndex && mac !== "")
      .map(({ address, mac }) => ({ address, mac })),
  );
}

function readRoutes(namespace: NetworkNamespace): AttachmentSnapshot["routes"] {
  return FAMILIES.flatMap((family) =>
    namespace.socket
      .dump("routes", RTM_ROUTE.get, encodeRouteDump(family))
      .flatMap(({ payload }) => decodeRoute(payload) ?? [])
      .filter(({ table }) => table === MAIN_TABLE)
      .map(({ destination, link, gateway }) => ({
        destination: destination === undefined ? "default" : `${destination.address}/${destination.length}`,
        device: (link === undefined ? undefined : namespace.findLinkByIndex(link)?.name) ?? "",
        ...(gateway === undefined ? {} : { gateway }),
      })),
  );
}

function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/net/${path}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

function readTcpBeLiberal(text: string | undefined): 0 | 1 | null {
  return text === undefined ? null : text === "1" ? 1 : 0;
}
