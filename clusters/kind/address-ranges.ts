import ipaddr from "ipaddr.js";
import { z } from "zod";

/** An IPv4 network that is in use on this machine, and by what. */
export interface UsedRange {
  /** CIDR notation. */
  readonly range: string;
  readonly by: string;
}

const routes = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));

/** Reads `ip -json -4 route show`; the default route uses no range. */
export function parseRoutes(json: string): readonly UsedRange[] {
  return routes
    .parse(JSON.parse(json))
    .filter(({ dst }) => dst !== "default")
    .map(({ dst, dev }) => ({ range: dst.includes("/") ? dst : `${dst}/32`, by: `the route by ${dev ?? "no link"}` }));
}

const networks = z.array(
  z.object({
    Name: z.string(),
    IPAM: z.object({ Config: z.array(z.object({ Subnet: z.string().optional() })).nullable() }),
  }),
);

/** Reads `docker network inspect`: networks without a container have no route. */
export function parseDockerNetworks(json: string): readonly UsedRange[] {
  return networks
    .parse(JSON.parse(json))
    .flatMap(({ Name, IPAM }) =>
      (IPAM.Config ?? []).flatMap(({ Subnet }) =>
        Subnet !== undefined && ipaddr.IPv4.isValidCIDR(Subnet)
          ? [{ range: Subnet, by: `the Docker network ${Name}` }]
          : [],
      ),
    );
}

/**
 * The first use that a network `cidr` would take traffic from. A wider one (a VPN's 10.0.0.0/8) is none: ours is the
 * longer prefix and goes first.
 */
export function findConflict(cidr: string, used: readonly UsedRange[]): UsedRange | undefined {
  const [network, length] = ipaddr.IPv4.parseCIDR(cidr);
  return used.find(({ range }) => {
    const [theirs, theirLength] = ipaddr.IPv4.parseCIDR(range);
    return theirLength >= length && theirs.match(network, length);
  });
}
