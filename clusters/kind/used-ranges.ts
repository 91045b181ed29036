import ipaddr from "ipaddr.js";
import { z } from "zod";

/** An IPv4 range that is in use on this machine. */
export interface UsedRange {
  /** CIDR notation. */
  readonly range: string;
  /** Route or Docker network that uses it. */
  readonly by: string;
}

const routes = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));

/** Parses the output of `ip -json -4 route show`, without the default route. */
export function parseRouteRanges(json: string): readonly UsedRange[] {
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

/** Parses the output of `docker network inspect`. A network without containers has no route. */
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
 * Returns the first used range that a new network `cidr` would take traffic from. A wider range, like a VPN's 10.0.0.0/8,
 * does not conflict: the route of the new network has the longer prefix, so it takes precedence.
 */
export function findConflict(cidr: string, used: readonly UsedRange[]): UsedRange | undefined {
  const [network, length] = ipaddr.IPv4.parseCIDR(cidr);
  return used.find(({ range }) => {
    const [usedNetwork, usedLength] = ipaddr.IPv4.parseCIDR(range);
    return usedLength >= length && usedNetwork.match(network, length);
  });
}
