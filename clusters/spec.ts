import ipaddr from "ipaddr.js";
import { type ClusterSpec, DEFAULT_SPEC } from "./provider.ts";

export type Underlay = Pick<ClusterSpec, "underlayCidr" | "nodeRange" | "podRange">;

/** DEFAULT_SPEC, on the underlay that `INTERLAY_UNDERLAY` names, if it names one. */
export function defaultSpec(env: NodeJS.ProcessEnv = process.env): typeof DEFAULT_SPEC {
  const wanted = env["INTERLAY_UNDERLAY"];
  return wanted === undefined || wanted === ""
    ? DEFAULT_SPEC
    : { ...DEFAULT_SPEC, ...underlay(wanted), underlayMayMove: false };
}

/** Splits an underlay like the default one: x.y.168.64/26 for nodes, x.y.200.0/24 for pods. Throws unless it is an IPv4 /16. */
export function underlay(cidr: string): Underlay {
  const [address, length] = ipaddr.IPv4.isValidCIDR(cidr) ? ipaddr.IPv4.parseCIDR(cidr) : [undefined, 0];
  const [a, b, c, d] = address?.octets ?? [];
  if (length !== 16 || c !== 0 || d !== 0)
    throw new Error(`INTERLAY_UNDERLAY=${cidr} is no IPv4 /16: name one that is not in use, like 10.17.0.0/16.`);
  return { underlayCidr: cidr, nodeRange: `${a}.${b}.168.64/26`, podRange: `${a}.${b}.200.0/24` };
}
