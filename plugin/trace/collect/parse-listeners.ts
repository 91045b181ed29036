import type { ListenerSnapshot } from "../snapshot.ts";

const ANY = { ipv4: "0.0.0.0", ipv6: "::" } as const;

/**
 * Returns the sockets of `ss -Hltun`. A socket of both families, which ss prints as `*`, is returned once for each.
 */
export function parseListeners(text: string): ListenerSnapshot[] {
  return text.split("\n").flatMap((line): ListenerSnapshot[] => {
    const [protocol, , , , local] = line.trim().split(/\s+/);
    if ((protocol !== "tcp" && protocol !== "udp") || local === undefined) return [];
    const colon = local.lastIndexOf(":");
    const port = Number(local.slice(colon + 1));
    // 127.0.0.53%lo, [fe80::1]%eth0
    const address = local
      .slice(0, colon)
      .replace(/%.*$/, "")
      .replace(/^\[|\]$/g, "");
    if (address === "*")
      return (["ipv4", "ipv6"] as const).map((family) => ({ protocol, family, address: ANY[family], port }));
    return [{ protocol, family: address.includes(":") ? "ipv6" : "ipv4", address, port }];
  });
}
