import { z } from "zod";

const where = z.enum(["pod", "node"]);
const family = z.enum(["ipv4", "ipv6"]);

/** The items of a plan, as the plugin records them on a node (plugin/datapath/plan-item.ts), with their reasons. */
const planItem = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("veth"), node: z.object({ name: z.string() }), reason: z.string() }),
  z.object({ kind: z.literal("up"), where, device: z.string(), reason: z.string() }),
  z.object({ kind: z.literal("sysctl"), where, path: z.array(z.string()), value: z.string(), reason: z.string() }),
  z.object({ kind: z.literal("neighbour"), where, device: z.string(), address: z.string(), reason: z.string() }),
  z.object({
    kind: z.literal("route"),
    where,
    family,
    destination: z.string(),
    gateway: z.string().optional(),
    device: z.string(),
    table: z.number(),
    reason: z.string(),
  }),
  z.object({
    kind: z.literal("rule"),
    where,
    family,
    priority: z.number(),
    from: z.string().optional(),
    mark: z.number().optional(),
    mask: z.number().optional(),
    table: z.number(),
    reason: z.string(),
  }),
  z.object({ kind: z.literal("reply-mark"), device: z.string(), reason: z.string() }),
  z.object({ kind: z.literal("source-guard"), where: z.literal("node"), device: z.string(), reason: z.string() }),
]);
type RecordedItem = z.infer<typeof planItem>;

/** A record in /var/lib/interlay/attachments. */
export const attachmentRecord = z.object({
  ifname: z.string(),
  netns: z.string(),
  pod: z.object({ namespace: z.string(), name: z.string() }),
  plan: z.object({ items: z.array(planItem) }),
});
export type AttachmentRecord = z.infer<typeof attachmentRecord>;

/** One plan item, removed or changed for every pod of a type on the node. */
interface Mutant {
  /** Stable over runs: without addresses and generated names. */
  readonly title: string;
  /** Commands for the node. */
  readonly argvs: readonly (readonly string[])[];
  /** Reason of the item in the plan. */
  readonly reason: string;
  /** Pods with the item. */
  readonly pods: readonly string[];
}

/**
 * Returns a mutant for every plan item of the attachments. The pods of a type have the same items and different roles in the matrix
 * (`-a` is a client, `-b` a server): an item is removed from all at once. Pure.
 */
export function listMutants(records: readonly AttachmentRecord[]): readonly Mutant[] {
  const mutants = new Map<string, Mutant>();
  for (const { ifname, netns, pod, plan } of records)
    for (const item of plan.items) {
      const onNode = item.kind === "veth" || ("where" in item && item.where === "node");
      const type = pod.name.replace(/-\d+-[ab]$/, "");
      const title = `${type} ${ifname}: ${onNode ? "node" : "pod"}: ${formatTitle(item)}`;
      const key = `${title}: ${item.reason}`;
      const argv = [...(onNode ? [] : ["nsenter", `--net=${netns}`, "--"]), ...applyMutant(item)];
      const { argvs, pods } = mutants.get(key) ?? { argvs: [], pods: [] };
      const isKnown = argvs.some((knownArgv) => knownArgv.join(" ") === argv.join(" "));
      mutants.set(key, {
        title,
        reason: item.reason,
        argvs: isKnown ? argvs : [...argvs, argv],
        pods: [...pods, pod.name],
      });
    }
  return [...mutants.values()];
}

/** Returns the command that removes an item; a sysctl gets a value with the opposite meaning. */
function applyMutant(item: RecordedItem): readonly string[] {
  const ip = (ipFamily: "ipv4" | "ipv6", ...args: readonly string[]) => [
    "ip",
    ipFamily === "ipv6" ? "-6" : "-4",
    ...args,
  ];
  switch (item.kind) {
    case "veth":
      return ["ip", "link", "delete", item.node.name];
    case "up":
      return ["ip", "link", "set", item.device, "down"];
    case "sysctl": {
      const last = item.path.at(-1) ?? "";
      const opposite = last === "rp_filter" || item.value === "0" ? "1" : "0";
      return ["sysctl", "-w", `net/${item.path.join("/")}=${opposite}`];
    }
    case "neighbour":
      return ["ip", "neighbour", "delete", item.address, "dev", item.device];
    case "route":
      return ip(item.family, "route", "delete", item.destination, "dev", item.device, "table", String(item.table));
    case "rule":
      return ip(
        item.family,
        "rule",
        "delete",
        "priority",
        String(item.priority),
        ...(item.from === undefined ? [] : ["from", item.from]),
        ...(item.mark === undefined
          ? []
          : ["fwmark", [item.mark, ...(item.mask === undefined ? [] : [item.mask])].join("/")]),
        "lookup",
        String(item.table),
      );
    case "reply-mark":
      return ["nft", "delete", "table", "inet", "interlay"];
    case "source-guard":
      return ["nft", "delete", "table", "netdev", `interlay-${item.device}`];
  }
}

/** Describes an item without names of links and addresses of pods, which differ between clusters. */
function formatTitle(item: RecordedItem): string {
  const device = (name: string) => name.replace(/^vethil.*/, "vethil…").replace(/^cali.*/, "cali…");
  switch (item.kind) {
    case "veth":
      return "the pair";
    case "up":
      return `link ${device(item.device)} up`;
    case "sysctl":
      return `sysctl ${item.path.map(device).join(".")} = ${item.value}`;
    case "neighbour":
      return `neighbour on ${device(item.device)} (${item.address.includes(":") ? "IPv6" : "IPv4"})`;
    case "route": {
      const host = /\/(32|128)$/.test(item.destination) ? "an address" : item.destination;
      return `route to ${host}${item.gateway === undefined ? "" : " by a gateway"} dev ${device(item.device)} table ${item.table} (${item.family})`;
    }
    case "rule": {
      const selector = item.from === undefined ? (item.mark === undefined ? "all" : "the mark") : "an address";
      return `rule for ${selector} to table ${item.table} (${item.family})`;
    }
    case "reply-mark":
      return `replies to what came in by ${item.device} are marked`;
    case "source-guard":
      return `source guard of ${device(item.device)}`;
  }
}
