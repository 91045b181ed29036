import type { FibQuery } from "../../hook.ts";
import type { Packet } from "../../packet.ts";
import { LINK, TEXT } from "./datatype.ts";
import type { PacketExpression } from "./expression.ts";
import { readArray, readField, readTextField } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";
import { toReading } from "./value.ts";

/**
 * Compiles a route lookup: `fib daddr type`, `fib saddr . iif oif`.
 *
 * @throws an error whose message is the lookup, if it is unsupported
 */
export function compileFib(json: NftJson): PacketExpression {
  const result = readTextField(json, "result");
  const flags = new Set(readArray(readField(json, "flags")).map(String));
  const address = flags.has("saddr") ? "source" : "destination";
  const findLink = ({ inLink, outLink }: Packet) =>
    flags.has("iif") ? inLink : flags.has("oif") ? outLink : undefined;

  if (result === "type")
    return {
      type: TEXT,
      read: (packet, { lookups }) => {
        const link = findLink(packet);
        const query = { address: packet[address], ...(link === undefined ? {} : { outLink: link }) };
        return toReading(lookups.findAddressType(query));
      },
    };
  if (result !== "oif" && result !== "oifname") throw new Error(`fib ${[...flags].join(" . ")} ${result}`);
  return {
    type: LINK,
    read: (packet, { lookups }) => {
      // nft_fib_is_loopback: what a local socket sent to itself has its route back by the same link.
      if (packet.inLink === "lo" && flags.has("saddr")) return toReading("lo");
      const link = findLink(packet);
      const query: FibQuery = {
        address: packet[address],
        source: address === "source" ? packet.destination : packet.source,
        ...(flags.has("mark") ? { mark: packet.mark } : {}),
      };
      // nft_fib4_eval: a local address has no link.
      if (lookups.findAddressType(query) === "local") return toReading("");
      const routeLink = lookups.findRouteLink(link === undefined ? query : { ...query, outLink: link }) ?? "";
      return toReading(link === undefined || routeLink === link ? routeLink : "");
    },
  };
}
