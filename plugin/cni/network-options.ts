import * as z from "zod/mini";
import { CniError, CODE } from "./error.ts";
import { findClosestName } from "./closest-name.ts";
import { PATH_VARIABLES } from "./plugin-paths.ts";
import { DEFAULT_ROUTING_IDS, type RoutingIds } from "../datapath/plan/routing-ids.ts";
import { isMacPrefix } from "../datapath/plan/mac-prefix.ts";
import { cidrs } from "../datapath/facts.ts";

const MODES = ["auto", "underlay", "overlay", "disabled"] as const;
const MIN_MTU = 68; // RFC 791
const MAX_MTU = 65_535;

const IFNAME_MAX = 15;
/** Excludes the kernel's own tables: unspec, default, main and local. */
const table = z.int().check(
  z.gte(1),
  z.lte(0xffff_ffff),
  z.refine((id) => id < 253 || id > 255, "253, 254 and 255 are the kernel's own tables"),
);
/** Rule priority after that of `local` (0) and before that of `main` (32766). */
const priority = z.int().check(z.gte(1), z.lte(32_765));

/** Options of `"type": "interlay"` in a network configuration. Other keys belong to other plugins or the runtime. */
const optionsSchema = z.looseObject({
  /** Type of the pod's NIC; with `auto` it depends on the pod's links. */
  mode: z._default(z.enum(MODES), "auto"),
  /** MTU of Interlay's pair in bytes; by default the underlay NIC's. */
  mtu: z.optional(z.int().check(z.gte(MIN_MTU), z.lte(MAX_MTU))),
  /** Further destinations that the pod reaches through its node, such as NodeLocal DNSCache's 169.254.20.10/32. */
  hijackCIDRs: z._default(cidrs, []),
  /** ADD returns its result without changing anything; `interlay explain` prints the plan. */
  dryRun: z._default(z.boolean(), false),
  /** The pod's NIC that gets the default route; unchanged if undefined. The pod's annotation takes precedence. */
  podDefaultRouteNic: z.optional(z.string().check(z.minLength(1), z.maxLength(IFNAME_MAX))),
  /** The node's table of routes to addresses behind another plugin's link, and the priority of its rule. */
  hostRouteTable: z.optional(table),
  hostRulePriority: z.optional(priority),
  /** Priorities of the pod's rules by source address, and of the earlier rule for replies to packets that arrived by veth0. */
  podRulePriority: z.optional(priority),
  podMarkPriority: z.optional(priority),
  /** Checks that no other host uses the pod's addresses: ARP probe, duplicate address detection. */
  conflictDetection: z._default(z.boolean(), false),
  /** Checks that the pod's gateways reply. */
  gatewayDetection: z._default(z.boolean(), false),
  /** Number of probes, and the time to wait for a reply to each, in milliseconds. */
  probeAttempts: z._default(z.int().check(z.gte(1), z.lte(10)), 3),
  probeIntervalMs: z._default(z.int().check(z.gte(10), z.lte(1000)), 100),
  /** Sends gratuitous ARP and unsolicited neighbour advertisements when the pod is attached. */
  announce: z._default(z.boolean(), true),
  /** First two bytes of the underlay NIC's MAC; the other four are the last bytes of its first address. */
  macPrefix: z.optional(
    z.string().check(z.refine(isMacPrefix, "not two bytes of a unicast MAC in lower case, as 0a:1b")),
  ),
  /** Whether the pod's NIC accepts addresses and routes from router advertisements (SLAAC). */
  acceptRouterAdvertisements: z._default(z.boolean(), false),
  /** Transmit queue length of Interlay's pair in packets; the kernel's default if undefined. */
  txQueueLen: z.optional(z.int().check(z.gte(0))),
});
export type NetworkOptions = z.infer<typeof optionsSchema>;

/** Returns the configured tables and priorities, or their defaults. @throws CniError 7 if their order is wrong */
export function getRoutingIds(options: NetworkOptions): RoutingIds {
  const { hostRouteTable, hostRulePriority, podRulePriority, podMarkPriority } = options;
  const numbers = {
    hostRouteTable: hostRouteTable ?? DEFAULT_ROUTING_IDS.hostRouteTable,
    hostRulePriority: hostRulePriority ?? DEFAULT_ROUTING_IDS.hostRulePriority,
    podRulePriority: podRulePriority ?? DEFAULT_ROUTING_IDS.podRulePriority,
    podMarkPriority: podMarkPriority ?? DEFAULT_ROUTING_IDS.podMarkPriority,
  };
  if (numbers.podMarkPriority >= numbers.podRulePriority)
    throw new CniError(
      CODE.invalidConfig,
      `interlay's option podMarkPriority: ${numbers.podMarkPriority} is not less than podRulePriority, ${numbers.podRulePriority}`,
      "Replies must find their mark's rule before the rules by source address.",
    );
  return numbers;
}

/**
 * Keys of a plugin's configuration that Interlay does not validate: those of the specification (CNI 1.1.0, section 1 "Plugin configuration
 * objects" and section 4), libcni's, and the device that Multus adds.
 */
const FOREIGN_KEYS: ReadonlySet<string> = new Set([
  "cniVersion",
  "cniVersions",
  "name",
  "type",
  "prevResult",
  "runtimeConfig",
  "args",
  "capabilities",
  "ipMasq",
  "ipam",
  "dns",
  "disableCheck",
  "disableGC",
  "loadOnlyInlinedPlugins",
  "deviceID",
  "pciBusID",
]);

/** Reports whether a key is not Interlay's: FOREIGN_KEYS, prefixed keys (`cni.dev/…`, `io.kubernetes.cri…`) and comments (`_…`). */
function isForeignKey(key: string): boolean {
  return FOREIGN_KEYS.has(key) || /[./]/.test(key) || key.startsWith("_");
}

/** Rejects settings that only the node's administrator may change. @throws CniError 7 */
function rejectNodeSettings(config: unknown): void {
  const forbidden = Object.entries(PATH_VARIABLES).find(([name]) => Object.hasOwn(config ?? {}, name));
  if (forbidden === undefined) return;
  const [name, variable] = forbidden;
  throw new CniError(
    CODE.invalidConfig,
    `${name} is not allowed in a network configuration: it is a path on the node, which root writes`,
    `Remove it from the network's configuration. The node's administrator sets ${variable} in the environment of the container runtime, and the agent's flags.`,
  );
}

/**
 * Parses the options of a network configuration.
 *
 * @throws CniError 7 for an invalid or unknown key: ignoring unknown keys would hide typos
 */
export function parseOptions(config: unknown): NetworkOptions {
  rejectNodeSettings(config);
  const names = listOptionNames();
  const unknown = Object.keys(config ?? {}).find((key) => !names.includes(key) && !isForeignKey(key));
  if (unknown !== undefined) {
    const meant = findClosestName(unknown, names);
    throw new CniError(
      CODE.invalidConfig,
      `interlay has no option ${unknown}${meant === undefined ? "" : `: is ${meant} meant?`}`,
      `Remove it from the network's configuration, or use one of ${names.join(", ")}.`,
    );
  }
  const result = optionsSchema.safeParse(config);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new CniError(CODE.invalidConfig, `interlay's option ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}

/** Lists the names of all options. */
export function listOptionNames(): string[] {
  return Object.keys(optionsSchema.shape);
}
