import { readFileSync } from "node:fs";
import { RTM_NEIGHBOUR, decodeNeighbour, encodeNeighbourGet, NUD_PERMANENT } from "../../netlink/neighbour.ts";
import { RTM_ROUTE, type Route, decodeRoute, encodeRouteDump } from "../../netlink/route.ts";
import { RTM_RULE, decodeRule, encodeRuleDump } from "../../netlink/rule.ts";
import { NetlinkError } from "../../netlink/socket.ts";
import { type Family, getFamily } from "../address.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { toKernelRoute, toKernelRule } from "../kernel-objects.ts";
import type { NeighbourItem, Plan, PlanItem, RouteItem, SysctlItem } from "../plan-item.ts";
import { buildSysctlPath } from "../sysctl-path.ts";
import { hasReplyMark } from "./reply-mark.ts";
import { hasSourceGuard } from "./source-guard.ts";

/**
 * Objects of a namespace that were read once, by kind, family and filter. A pass over many plans shares the dumps of the node, which may
 * have many thousand routes; an item that seems to be missing must be read again.
 */
export type KernelDumps = Map<string, readonly unknown[]>;

/**
 * Returns the items of `plan` that the kernel does not have. Changes nothing.
 * @param nodeDumps objects of the node that earlier calls have read; this call adds to them
 */
export function readDrift(
  plan: Plan,
  node: NetworkNamespace,
  pod: NetworkNamespace,
  nodeDumps: KernelDumps = new Map<string, readonly unknown[]>(),
): readonly PlanItem[] {
  const reader = new Reader(plan, node, pod, nodeDumps);
  return plan.items.filter((item) => !reader.has(item));
}

/** Dumps each kind of object once per namespace and family, and reads all sysctls of a namespace together. */
class Reader {
  readonly #plan: Plan;
  readonly #node: NetworkNamespace;
  readonly #pod: NetworkNamespace;
  readonly #nodeDumps: KernelDumps;
  readonly #podDumps: KernelDumps = new Map<string, readonly unknown[]>();
  readonly #sysctls = new Map<SysctlItem["where"], ReadonlyMap<string, string>>();

  constructor(plan: Plan, node: NetworkNamespace, pod: NetworkNamespace, nodeDumps: KernelDumps) {
    this.#plan = plan;
    this.#node = node;
    this.#pod = pod;
    this.#nodeDumps = nodeDumps;
  }

  has(item: PlanItem): boolean {
    const where = item.kind !== "veth" && item.where === "node" ? this.#node : this.#pod;
    switch (item.kind) {
      case "veth": {
        const nodeEnd = this.#node.findLink(item.node.name);
        const podEnd = this.#pod.findLink(item.pod.name);
        return (
          nodeEnd !== undefined &&
          podEnd?.link === nodeEnd.index &&
          nodeEnd.mac === item.node.mac &&
          podEnd.mac === item.pod.mac
        );
      }
      case "up":
        return where.findLink(item.device)?.up === true;
      case "mac":
        return where.findLink(item.device)?.mac === item.mac;
      case "sysctl":
        return this.#readSysctl(where, item) === item.value;
      case "neighbour":
        return hasNeighbour(where, item);
      case "route":
        return this.#hasRoute(where, item);
      case "rule": {
        const desired = toKernelRule(item);
        return this.#dump(where, "rules", item.family, (family) =>
          where.socket.dump("rules", RTM_RULE.get, encodeRuleDump(family)).flatMap((m) => decodeRule(m.payload) ?? []),
        ).some(
          (rule) =>
            rule.priority === desired.priority &&
            rule.table === desired.table &&
            rule.from?.address === desired.from?.address &&
            rule.fwmark?.mark === desired.fwmark?.mark &&
            rule.fwmark?.mask === desired.fwmark?.mask,
        );
      }
      case "reply-mark":
        return hasReplyMark(item, where);
      case "source-guard":
        return hasSourceGuard(item, where);
    }
  }

  #readSysctl(namespace: NetworkNamespace, { where, path }: SysctlItem): string | undefined {
    const values = this.#sysctls.get(where) ?? this.#readSysctls(namespace, where);
    this.#sysctls.set(where, values);
    return values.get(path.join("/"));
  }

  /** Enters the namespace once for all sysctls of the plan: entering it takes as long as reading one. */
  #readSysctls(namespace: NetworkNamespace, where: SysctlItem["where"]): ReadonlyMap<string, string> {
    const paths = this.#plan.items.flatMap((item) =>
      item.kind === "sysctl" && item.where === where ? [item.path.join("/")] : [],
    );
    return namespace.run(() => new Map(paths.map((path) => [path, readOrEmpty(buildSysctlPath(path))])));
  }

  #hasRoute(where: NetworkNamespace, item: RouteItem): boolean {
    const link = where.findLink(item.device)?.index;
    if (link === undefined) return false;
    const desired = toKernelRoute(item, link);
    // The node may have many thousand routes of the overlay: the kernel selects ours.
    const protocol = item.where === "node" ? desired.protocol : 0;
    return this.#dump(where, `routes ${protocol}`, item.family, (family) =>
      where.socket
        .dump("routes", RTM_ROUTE.get, encodeRouteDump(family, protocol))
        .flatMap((m) => decodeRoute(m.payload) ?? []),
    ).some((route) => isSameRoute(route, desired));
  }

  #dump<T>(
    where: NetworkNamespace,
    kind: string,
    family: Family,
    read: (family: Family) => readonly T[],
  ): readonly T[] {
    const dumps = where === this.#node ? this.#nodeDumps : this.#podDumps;
    const key = `${kind} ${family}`;
    const cached = dumps.get(key);
    if (cached !== undefined) return cached as readonly T[];
    const dumped = read(family);
    dumps.set(key, dumped);
    return dumped;
  }
}

function hasNeighbour(where: NetworkNamespace, { device, address, mac }: NeighbourItem): boolean {
  const link = where.findLink(device)?.index;
  if (link === undefined) return false;
  try {
    const family = getFamily(address);
    const message = where.socket.get("neighbour", RTM_NEIGHBOUR.get, encodeNeighbourGet({ family, link, address }));
    const neighbour = message === undefined ? undefined : decodeNeighbour(message.payload);
    return neighbour?.mac === mac && (neighbour.state & NUD_PERMANENT) !== 0;
  } catch (error) {
    if (error instanceof NetlinkError && error.code === "ENOENT") return false;
    throw error;
  }
}

function isSameRoute(actual: Route, desired: Route): boolean {
  return (
    actual.table === desired.table &&
    actual.destination?.address === desired.destination?.address &&
    actual.destination?.length === desired.destination?.length &&
    actual.gateway === desired.gateway &&
    actual.link === desired.link &&
    actual.source === desired.source
  );
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
