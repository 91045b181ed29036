import * as z from "zod/mini";
import { type Cidr, parseCidr, parseIp } from "./address.ts";
import { getErrorMessage } from "../errors/error-message.ts";

/** Directory of the plugin's and the agent's files on a node. */
export const STATE_DIRECTORY = "/var/lib/interlay";
/** File in which the agent writes the facts; the plugin needs no other input about the cluster. */
export const FACTS_FILE = `${STATE_DIRECTORY}/facts.json`;
export const FACTS_SCHEMA = "interlay.facts/v1";

/**
 * Parses a network other than 0.0.0.0/0 and ::/0, which would replace the pod's default route.
 *
 * @throws Error on invalid text
 */
export function parseProperCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr.endsWith("/0"))
    throw new Error(`invalid network "${text}": it contains every address and would replace the default route`);
  return cidr;
}

const parseWith = <T>(parse: (text: string) => T) =>
  z.pipe(
    z.string(),
    z.transform((text, context) => {
      try {
        return parse(text);
      } catch (error) {
        context.issues.push({
          code: "custom",
          input: text,
          message: getErrorMessage(error),
        });
        return z.NEVER;
      }
    }),
  );
const ip = parseWith(parseIp);
const cidr = parseWith(parseProperCidr);
/** Networks in CIDR notation, as a fact or as an option. */
export const cidrs = z.readonly(z.array(cidr));

const MIN_MTU = 68; // RFC 791

export const RETURN_PATHS = ["notrack", "liberal", "snat", "none"] as const;
export type ReturnPath = (typeof RETURN_PATHS)[number];

/** Facts about the cluster and this node. Each list contains both families. */
const factsSchema = z.readonly(
  z.object({
    schema: z.literal(FACTS_SCHEMA),
    node: z.object({
      name: z.string().check(z.minLength(1)),
      /** InternalIPs of the Node, at most one per family. */
      addresses: z.readonly(z.array(ip).check(z.minLength(1))),
      /** Every other global address of the node's own links, without those in an overlay or Service network. */
      otherAddresses: z._default(z.readonly(z.array(ip)), []),
    }),
    /** The link with the node's address, the parent of macvlan links. */
    uplink: z.string().check(z.minLength(1)),
    /** Overlay networks; empty in a cluster without an overlay. */
    overlayCidrs: cidrs,
    /** Smallest MTU of the tunnels to other nodes' overlay pods, in bytes; absent in a cluster without tunnels. */
    overlayMtu: z.exactOptional(z.int().check(z.gte(MIN_MTU))),
    /** Overlay networks whose pods the overlay masquerades towards other networks (Calico's natOutgoing). */
    masqueradedCidrs: z._default(cidrs, []),
    serviceCidrs: cidrs,
    /** Further destinations that pods reach through their node, by configuration. */
    hijackCidrs: cidrs,
    /** Further destinations that pods reach through their node, discovered: external addresses of Services, link-local DNS. */
    viaNode: z._default(z.readonly(z.array(z.object({ destination: cidr, reason: z.string() }))), []),
    /** Networks that were found or configured and are not used, because a route to them would take traffic off the wire. */
    refusedNetworks: z._default(
      z.readonly(z.array(z.object({ network: cidr, source: z.string(), reason: z.string() }))),
      [],
    ),
    returnPath: z.enum(RETURN_PATHS),
    /** Current limitations of this node, one sentence each; ADD logs them. */
    notices: z.optional(z.readonly(z.array(z.string()))),
    /** Source of each fact. */
    sources: z.record(z.string(), z.string()),
  }),
);
export type Facts = z.infer<typeof factsSchema>;

/** Parses a facts file. @throws an error that names each invalid field */
export function parseFacts(text: string): Facts {
  const result = factsSchema.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  throw new Error(result.error.issues.map((i) => `${i.path.join(".") || "facts"}: ${i.message}`).join("; "));
}

/** Adds the destinations that a network's configuration routes through the node (hijackCIDRs). */
export function addHijackCidrs(facts: Facts, hijackCidrs: readonly Cidr[] = []): Facts {
  return { ...facts, hijackCidrs: [...new Set([...facts.hijackCidrs, ...hijackCidrs])] };
}
