import type { Cidr, Family, Ip } from "./address.ts";

/** Namespace of a plan item. */
export type Where = "pod" | "node";

interface Reasoned {
  /** Reason of the item, printed by explain, doctor and reports. */
  readonly reason: string;
}

/** A veth pair between the node and the pod. */
export interface VethItem extends Reasoned {
  readonly kind: "veth";
  readonly node: { readonly name: string; readonly mac: string };
  readonly pod: { readonly name: string; readonly mac: string };
  readonly mtu: number;
  /** Transmit queue length in packets; the kernel's default if undefined. */
  readonly txQueueLength?: number;
}

/** Sets a link up, after its sysctls: the kernel configures a link when it comes up. */
export interface UpItem extends Reasoned {
  readonly kind: "up";
  readonly where: Where;
  readonly device: string;
}

/** The MAC address of the pod's own link. */
export interface MacItem extends Reasoned {
  readonly kind: "mac";
  readonly where: "pod";
  readonly device: string;
  readonly mac: string;
}

export interface SysctlItem extends Reasoned {
  readonly kind: "sysctl";
  readonly where: Where;
  /** Path below /proc/sys/net. */
  readonly path: readonly string[];
  readonly value: string;
}

export interface NeighbourItem extends Reasoned {
  readonly kind: "neighbour";
  readonly where: Where;
  readonly device: string;
  readonly address: Ip;
  readonly mac: string;
}

export interface RouteItem extends Reasoned {
  readonly kind: "route";
  readonly where: Where;
  readonly family: Family;
  readonly destination: Cidr | "default";
  readonly gateway?: Ip;
  readonly device: string;
  readonly source?: Ip;
  readonly table: number;
  /** Whether the gateway is on the link although no route covers it, such as Calico's 169.254.1.1. */
  readonly onlink?: boolean;
  /**
   * Set for a route that the kernel created with the link's address. It is restored if it is missing, before other routes to
   * the same network, and never removed: the kernel removes it with the address.
   */
  readonly connected?: true;
  /** The route that this one replaces; restored when this one is removed. */
  readonly instead?: { readonly gateway: Ip; readonly device: string };
}

export interface RuleItem extends Reasoned {
  readonly kind: "rule";
  /** On the node a rule is shared by all pods; it is removed with the last route of its table. */
  readonly where: Where;
  readonly family: Family;
  readonly priority: number;
  readonly from?: Ip;
  readonly mark?: number;
  /** Bits of the mark that the rule compares; absent in records of earlier versions, which compare all bits. */
  readonly mask?: number;
  readonly table: number;
}

/** Marks packets that arrive by `device` and their replies; a rule for this mark routes the replies. */
export interface ReplyMarkItem extends Reasoned {
  readonly kind: "reply-mark";
  readonly where: "pod";
  readonly device: string;
  readonly mark: number;
  readonly families: readonly Family[];
  /** Networks that the pod's main table routes by `device` anyway: replies to them need no mark, so their clients are not kept. */
  readonly routed?: readonly Cidr[];
}

/** Drops packets that enter the node by `device` with a source address that the node does not route back by it. */
export interface SourceGuardItem extends Reasoned {
  readonly kind: "source-guard";
  readonly where: "node";
  readonly device: string;
}

export type PlanItem =
  VethItem | UpItem | MacItem | SysctlItem | NeighbourItem | RouteItem | RuleItem | ReplyMarkItem | SourceGuardItem;

/** The desired kernel state of one attachment, in the order in which it is applied. */
export interface Plan {
  readonly items: readonly PlanItem[];
}

export const MAIN_TABLE = 254;

function describeMark(mark: number, mask: number | undefined): string {
  const bits = mask === undefined ? "" : `/0x${mask.toString(16)}`;
  return `0x${mark.toString(16)}${bits}`;
}

/** Describes an item in one line, in the syntax of iproute2. */
export function describeItem(item: PlanItem): string {
  switch (item.kind) {
    case "veth":
      return `link ${item.pod.name} (pod) <-> ${item.node.name} (node) mtu ${item.mtu}`;
    case "up":
      return `${item.where}: link ${item.device} up`;
    case "mac":
      return `${item.where}: link ${item.device} address ${item.mac}`;
    case "sysctl":
      return `${item.where}: sysctl net.${item.path.join(".")}=${item.value}`;
    case "neighbour":
      return `${item.where}: neighbour ${item.address} dev ${item.device} lladdr ${item.mac} permanent`;
    case "route":
      return [
        `${item.where}: route ${item.destination.replace(/\/(32|128)$/, "")}`,
        ...(item.gateway === undefined ? [] : [`via ${item.gateway}`]),
        `dev ${item.device}`,
        ...(item.source === undefined ? [] : [`src ${item.source}`]),
        ...(item.table === MAIN_TABLE ? [] : [`table ${item.table}`]),
      ].join(" ");
    case "rule":
      return [
        `${item.where}: rule`,
        ...(item.from === undefined ? [] : [`from ${item.from}`]),
        ...(item.mark === undefined ? [] : [`fwmark ${describeMark(item.mark, item.mask)}`]),
        `lookup ${item.table} pref ${item.priority}`,
      ].join(" ");
    case "reply-mark":
      return `${item.where}: replies to what came in by ${item.device} carry mark 0x${item.mark.toString(16)}`;
    case "source-guard":
      return `${item.where}: what comes in by ${item.device} has a source that is routed back by it`;
  }
}
