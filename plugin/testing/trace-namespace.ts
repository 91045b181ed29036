import { createHash } from "node:crypto";
import { parseNetwork } from "../trace/routing/ip-number.ts";
import type {
  AddressSnapshot,
  LinkSnapshot,
  NamespaceSnapshot,
  NeighbourSnapshot,
  RouteSnapshot,
  RuleSnapshot,
} from "../trace/snapshot.ts";
import { makeNamespace } from "./make-namespace.ts";

/** A network namespace in the words of iproute2, for tests of trace. */
export interface NamespaceText {
  readonly id: string;
  readonly kind?: NamespaceSnapshot["kind"];
  /** Name and what differs from an Ethernet link that is up. */
  readonly links?: Readonly<Record<string, Partial<LinkSnapshot>>>;
  /** `10.0.0.1/24 eth0`; local and connected routes follow from it. */
  readonly addresses?: readonly string[];
  /** `[TYPE] DESTINATION [via GATEWAY] [dev LINK] [src ADDRESS] [metric N] [table N] [mtu N]` */
  readonly routes?: readonly string[];
  /** `PRIORITY: from NETWORK [to NETWORK] [fwmark 0x1/0x1] [iif LINK] lookup TABLE`, besides the kernel's three. */
  readonly rules?: readonly string[];
  /** `10.0.0.2 eth0 aa:bb:cc:dd:ee:ff PERMANENT` */
  readonly neighbours?: readonly string[];
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly more?: Partial<NamespaceSnapshot>;
}

/** Builds a snapshot of a namespace. */
export function buildNamespace(text: NamespaceText): NamespaceSnapshot {
  const addresses = ["127.0.0.1/8 lo", ...(text.addresses ?? [])].map(parseInterfaceAddress);
  return makeNamespace({
    id: text.id,
    kind: text.kind ?? "node",
    name: text.id,
    links: Object.entries({ lo: { kind: "loopback", mtu: 65_536 }, ...text.links }).map(([name, link], index) => ({
      ...makeLink(text.id, name, index + 1),
      ...link,
    })),
    addresses,
    routes: [...addresses.flatMap(deriveRoutes), ...(text.routes ?? []).map(parseRoute)],
    rules: [...DEFAULT_RULES, ...(text.rules ?? [])].flatMap(parseRule),
    neighbours: (text.neighbours ?? []).map(parseNeighbour),
    sysctls: { ...text.sysctls },
    conntrack: { max: 65_536, count: 0 },
    ...text.more,
  });
}

const DEFAULT_RULES = ["0: from all lookup 255", "32766: from all lookup 254", "32767: from all lookup 253"];

/** Makes a MAC address that depends on namespace and link. */
export function makeMac(namespace: string, link: string): string {
  const digest = createHash("sha256").update(`${namespace} ${link}`).digest("hex");
  return ["02", ...(digest.slice(0, 10).match(/../g) ?? [])].join(":");
}

function makeLink(namespace: string, name: string, index: number): LinkSnapshot {
  return {
    index,
    name,
    kind: "device",
    mac: makeMac(namespace, name),
    mtu: 1500,
    up: true,
    carrier: true,
    noArp: false,
    promiscuous: false,
    programs: [],
  };
}

const getFamily = (text: string): "ipv4" | "ipv6" => (text.includes(":") ? "ipv6" : "ipv4");

function parseInterfaceAddress(text: string): AddressSnapshot {
  const [network = "", link = "", ...flags] = text.split(" ");
  const [address = "", length] = network.split("/");
  return {
    family: getFamily(address),
    address,
    prefixLength: Number(length),
    link,
    scope: link === "lo" ? "host" : address.startsWith("fe80:") ? "link" : "global",
    flags,
  };
}

function deriveRoutes({ family, address, prefixLength, link }: AddressSnapshot): readonly RouteSnapshot[] {
  const { length } = parseNetwork(address);
  const nexthops = [{ link, weight: 1, flags: [] }];
  const common = { family, protocol: "kernel", metric: 0, tos: 0, nexthops };
  return [
    { ...common, type: "local", destination: `${address}/${length}`, table: 255, scope: 254, source: address },
    ...(link === "lo"
      ? ([{ ...common, type: "local", destination: "127.0.0.0/8", table: 255, scope: 254, source: address }] as const)
      : prefixLength === length
        ? []
        : ([
            {
              ...common,
              type: "unicast",
              destination: `${address}/${prefixLength}`,
              table: 254,
              scope: 253,
              source: address,
            },
          ] as const)),
  ];
}

const TYPES = ["blackhole", "unreachable", "prohibit", "throw", "local"] as const;

function parseRoute(text: string): RouteSnapshot {
  const words = text.split(" ");
  const type = TYPES.find((name) => name === words[0]) ?? "unicast";
  const destination = words[type === "unicast" ? 0 : 1] ?? "";
  const value = (name: string): string | undefined => {
    const index = words.indexOf(name);
    return index < 0 ? undefined : words[index + 1];
  };
  const gateway = value("via");
  const link = value("dev");
  const source = value("src");
  const mtu = value("mtu");
  return {
    family: getFamily(destination),
    type,
    destination,
    table: Number(value("table") ?? 254),
    scope: gateway === undefined ? 253 : 0,
    protocol: "static",
    metric: Number(value("metric") ?? 0),
    tos: 0,
    ...(source === undefined ? {} : { source }),
    ...(mtu === undefined ? {} : { mtu: Number(mtu) }),
    nexthops: link === undefined ? [] : [{ link, weight: 1, flags: [], ...(gateway === undefined ? {} : { gateway }) }],
  };
}

/** A rule is of the family of its networks, or of both. */
function parseRule(text: string): readonly RuleSnapshot[] {
  const words = text.split(" ");
  const value = (name: string): string | undefined => {
    const index = words.indexOf(name);
    return index < 0 || words[index + 1] === "all" ? undefined : words[index + 1];
  };
  const [markValue, markMask = "0xffffffff"] = value("fwmark")?.split("/") ?? [];
  const from = value("from");
  const to = value("to");
  const inLink = value("iif");
  const table = value("lookup");
  const network = from ?? to;
  return (["ipv4", "ipv6"] as const)
    .filter((family) => network === undefined || getFamily(network) === family)
    .map((family) => ({
      family,
      priority: Number.parseInt(text, 10),
      action: table === undefined ? ("prohibit" as const) : ("table" as const),
      ...(table === undefined ? {} : { table: Number(table) }),
      not: false,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(inLink === undefined ? {} : { inLink }),
      ...(markValue === undefined ? {} : { mark: { value: Number(markValue), mask: Number(markMask) } }),
      unknown: [],
    }));
}

function parseNeighbour(text: string): NeighbourSnapshot {
  const [address = "", link = "", mac, state = "REACHABLE"] = text.split(" ");
  return {
    family: getFamily(address),
    address,
    link,
    state: [state],
    proxy: false,
    ...(mac === undefined ? {} : { mac }),
  };
}
