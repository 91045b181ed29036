import { parsePrefix } from "../../netlink/ip.ts";
import {
  acceptPacket,
  dropPacket,
  type Expression,
  hasEtherType,
  hasForeignSource,
  isFromNetwork,
} from "../../netlink/nft-expression.ts";
import { decodeDumpedRule, encodeRulesRequest } from "../../netlink/nft-rule-dump.ts";
import {
  decodeTable,
  encodeTableDump,
  NFT_GET_RULE,
  NFT_GET_TABLE,
  NFT_HOOK,
  type NftRule,
  type NftTable,
  PRIORITY_MANGLE,
} from "../../netlink/nftables.ts";
import type { Message } from "../../netlink/message.ts";
import { NetlinkError } from "../../netlink/socket.ts";
import type { Family } from "../address.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { buildGuardTableName, parseGuardTableName } from "../names.ts";
import type { SourceGuardItem } from "../plan-item.ts";
import { applyLinkTable, type CompiledTable, compileTable, hasLinkTable, removeLinkTable } from "./link-table.ts";

/** Sources of neighbour discovery, which never leave the link (RFC 4861, RFC 4291 section 2.5.6). */
const LINK_LOCAL_SOURCES = ["::/128", "fe80::/10"];

/**
 * Builds the table that drops packets that enter by a pair with a source address that the node does not route back by it. The route
 * decides, not a list of addresses, because the addresses of a pod's further NICs use the same pair. The chain is at the link's own
 * ingress hook, so packets of other links pass no rule of it: a chain in the prerouting hook added 3 % to an overlay pod's round trip.
 */
function buildSourceGuardTable(device: string): NftTable {
  return {
    ...buildTableKey(device),
    sets: [],
    chains: [
      {
        name: "guard",
        type: "filter",
        hook: NFT_HOOK.ingress.netdev,
        device,
        priority: PRIORITY_MANGLE,
        rules: GUARD_RULES,
      },
    ],
  };
}

function buildTableKey(device: string): { readonly family: "netdev"; readonly name: string } {
  return { family: "netdev", name: buildGuardTableName(device) };
}

/** `ip6 saddr NETWORK accept` */
function buildLinkLocalRule(network: string): NftRule {
  const expressions: readonly Expression[] = [
    ...hasEtherType("ipv6"),
    ...isFromNetwork("ipv6", parsePrefix(network)),
    ...acceptPacket(),
  ];
  return { expressions, comment: `link-local ${network}` };
}

/** `meta protocol ip fib saddr . iif oif missing counter drop` */
function buildGuardRule(family: Family): NftRule {
  return {
    expressions: [...hasEtherType(family), ...hasForeignSource(), ...dropPacket()],
    comment: `source-guard-${family}`,
  };
}

/** Rules of all guards, built once: a repair pass compares them with the kernel's, and building them would be a tenth of its cost. */
const GUARD_RULES: readonly NftRule[] = [
  ...LINK_LOCAL_SOURCES.map(buildLinkLocalRule),
  buildGuardRule("ipv4"),
  buildGuardRule("ipv6"),
];

const compileSourceGuard = ({ device }: SourceGuardItem): CompiledTable => compileTable(buildSourceGuardTable(device));

/** Creates or replaces the table on the node that drops forged sources of a pair. */
export function applySourceGuard(item: SourceGuardItem, node: NetworkNamespace): void {
  applyLinkTable(compileSourceGuard(item), node);
}

/** Removes the guard of a pair. Succeeds if it does not exist. */
export function removeSourceGuard(device: string, node: NetworkNamespace): void {
  removeLinkTable(buildTableKey(device), node);
}

/** Reports whether the pair has its guard. */
export function hasSourceGuard(item: SourceGuardItem, node: NetworkNamespace): boolean {
  return hasLinkTable(buildSourceGuardTable(item.device), item.device, node);
}

/** A rule of a pair's guard with the packets that it has dropped. */
export interface GuardCount {
  readonly device: string;
  readonly rule: string;
  readonly packets: number;
}

/** Reads the counters of the guards of all pairs; empty on a node without nftables. */
export function readGuardCounts(node: NetworkNamespace): readonly GuardCount[] {
  return dumpOrNothing(node, "rules", NFT_GET_RULE, encodeRulesRequest({ family: "netdev" })).flatMap(({ payload }) => {
    const { table, comment, packets } = decodeDumpedRule(payload);
    const device = parseGuardTableName(table);
    return device === undefined || packets === undefined ? [] : [{ device, rule: comment, packets }];
  });
}

/**
 * Removes the guards whose pair does not exist, because a DEL was killed or had no record.
 *
 * @returns the names of those pairs
 */
export function removeStaleGuards(node: NetworkNamespace): readonly string[] {
  const devices = dumpOrNothing(node, "tables", NFT_GET_TABLE, encodeTableDump()).flatMap(({ payload }) => {
    const { family, name } = decodeTable(payload);
    return family === "netdev" ? (parseGuardTableName(name) ?? []) : [];
  });
  const stale = devices.filter((device) => node.findLink(device) === undefined);
  for (const device of stale) removeSourceGuard(device, node);
  return stale;
}

function dumpOrNothing(node: NetworkNamespace, name: string, type: number, body: Buffer): readonly Message[] {
  try {
    return node.netfilter.dump(name, type, body);
  } catch (error) {
    if (error instanceof NetlinkError) return [];
    throw error;
  }
}
