import * as z from "zod/mini";
import { type Cidr, parseCidr, parseIp } from "./address.ts";

/** What plugin and agent keep on a node. */
export const STATE_DIRECTORY = "/var/lib/interlay";
/** Where the agent leaves what the plugin must know; the plugin wires pods with nothing else. */
export const FACTS_FILE = `${STATE_DIRECTORY}/facts.json`;
export const FACTS_SCHEMA = "interlay.facts/v1";

/** Throws on what is no network, and on all of a family: that would take the place of the pod's default route, and take it away when it goes. */
export function parseProperCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr.endsWith("/0")) throw new Error(`"${text}" is every address: that is a default route's`);
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
          message: error instanceof Error ? error.message : String(error),
        });
        return z.NEVER;
      }
    }),
  );
const ip = parseWith(parseIp);
const cidr = parseWith(parseProperCidr);
/** Networks in CIDR notation, as a fact or as an option. */
export const cidrs = z.readonly(z.array(cidr));

/** RFC 791. */
const MIN_MTU = 68;

export const RETURN_PATHS = ["notrack", "liberal", "snat", "none"] as const;
export type ReturnPath = (typeof RETURN_PATHS)[number];

/** What is true of the cluster and this node. Both families in one list each. */
const factsSchema = z.readonly(
  z.object({
    schema: z.literal(FACTS_SCHEMA),
    node: z.object({
      name: z.string().check(z.minLength(1)),
      /** Kubernetes' InternalIPs, at most one a family. */
      addresses: z.readonly(z.array(ip).check(z.minLength(1))),
      /** Every other global address of the node's own links, without those in an overlay or Service network. */
      otherAddresses: z._default(z.readonly(z.array(ip)), []),
    }),
    /** The network interface that the node's address is on: parent of macvlan children. */
    uplink: z.string().check(z.minLength(1)),
    /** Empty in a cluster without an overlay. */
    overlayCidrs: cidrs,
    /** Bytes: the smallest MTU of the tunnels that lead to other nodes' overlay pods; absent where there is no tunnel. */
    overlayMtu: z.exactOptional(z.int().check(z.gte(MIN_MTU))),
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
    /** What does not work on this node now, a sentence each: ADD writes them to its log. */
    notices: z.optional(z.readonly(z.array(z.string()))),
    /** Fact -> where it was read. */
    sources: z.record(z.string(), z.string()),
  }),
);
export type Facts = z.infer<typeof factsSchema>;

/** Throws with the path of what is wrong. */
export function parseFacts(text: string): Facts {
  const result = factsSchema.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  throw new Error(result.error.issues.map((i) => `${i.path.join(".") || "facts"}: ${i.message}`).join("; "));
}

/** Facts for one network whose configuration wants further destinations to be reached through the node. */
export function addHijackCidrs(facts: Facts, hijackCidrs: readonly Cidr[] = []): Facts {
  return { ...facts, hijackCidrs: [...new Set([...facts.hijackCidrs, ...hijackCidrs])] };
}
