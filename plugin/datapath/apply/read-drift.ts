import { readFileSync } from "node:fs";
import { NUD_PERMANENT, RTM_NEIGHBOUR, decodeNeighbour, encodeNeighbourDump } from "../../netlink/neighbour.ts";
import { RTM_ROUTE, type Route, decodeRoute, encodeRouteDump } from "../../netlink/route.ts";
import { RTM_RULE, decodeRule, encodeRuleDump } from "../../netlink/rule.ts";
import { type Family, getFamily } from "../address.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { toKernelRoute, toKernelRule } from "../kernel-objects.ts";
import type { Plan, PlanItem, RouteItem } from "../plan-item.ts";
import { hasReplyMark } from "./reply-mark.ts";
import { hasSourceGuard } from "./source-guard.ts";

/** Returns the items of `plan` that the kernel does not have. Changes nothing. */
export function readDrift(plan: Plan, node: NetworkNamespace, pod: NetworkNamespace): readonly PlanItem[] {
  const reader = new Reader(node, pod);
  return plan.items.filter((item) => !reader.has(item));
}

/** Dumps each kind of object once per namespace and family. */
class Reader {
  readonly #node: NetworkNamespace;
  readonly #pod: NetworkNamespace;
  readonly #dumps = new Map<string, readonly unknown[]>();

  constructor(node: NetworkNamespace, pod: NetworkNamespace) {
    this.#node = node;
    this.#pod = pod;
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
        return where.run(() => readOrEmpty(`/proc/sys/net/${item.path.join("/")}`)) === item.value;
      case "neighbour": {
        const link = where.findLink(item.device)?.index;
        return this.#dump(where, "neighbours", getFamily(item.address), (family) =>
          where.socket
            .dump("neighbours", RTM_NEIGHBOUR.get, encodeNeighbourDump(family))
            .flatMap((m) => decodeNeighbour(m.payload) ?? []),
        ).some(
          (n) => n.link === link && n.address === item.address && n.mac === item.mac && (n.state & NUD_PERMANENT) !== 0,
        );
      }
      case "route":
        return this.#hasRoute(where, item);
      case "rule": {
        const wanted = toKernelRule(item);
        return this.#dump(where, "rules", item.family, (family) =>
          where.socket.dump("rules", RTM_RULE.get, encodeRuleDump(family)).flatMap((m) => decodeRule(m.payload) ?? []),
        ).some(
          (rule) =>
            rule.priority === wanted.priority &&
            rule.table === wanted.table &&
            rule.from?.address === wanted.from?.address &&
            rule.fwmark?.mark === wanted.fwmark?.mark &&
            rule.fwmark?.mask === wanted.fwmark?.mask,
        );
      }
      case "reply-mark":
        return hasReplyMark(item, where);
      case "source-guard":
        return hasSourceGuard(item, where);
    }
  }

  #hasRoute(where: NetworkNamespace, item: RouteItem): boolean {
    const link = where.findLink(item.device)?.index;
    if (link === undefined) return false;
    const wanted = toKernelRoute(item, link);
    return this.#dump(where, "routes", item.family, (family) =>
      where.socket.dump("routes", RTM_ROUTE.get, encodeRouteDump(family)).flatMap((m) => decodeRoute(m.payload) ?? []),
    ).some((route) => sameRoute(route, wanted));
  }

  #dump<T>(
    where: NetworkNamespace,
    kind: string,
    family: Family,
    read: (family: Family) => readonly T[],
  ): readonly T[] {
    const key = `${where.path ?? ""} ${kind} ${family}`;
    const known = this.#dumps.get(key);
    if (known !== undefined) return known as readonly T[];
    const dumped = read(family);
    this.#dumps.set(key, dumped);
    return dumped;
  }
}

function sameRoute(actual: Route, wanted: Route): boolean {
  return (
    actual.table === wanted.table &&
    actual.destination?.address === wanted.destination?.address &&
    actual.destination?.length === wanted.destination?.length &&
    actual.gateway === wanted.gateway &&
    actual.link === wanted.link &&
    actual.source === wanted.source
  );
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
