import type { ExternalHost } from "../../clusters/provider/provider.ts";
import type { IpFamily } from "../../clusters/spec/address-ranges.ts";
import { Prober } from "../support/prober.ts";
import { CLIENT, getExternalHost } from "../deployment/deploy.ts";
import { execOnNode, type PluginContext } from "./plugin-context.ts";

/** A network behind the external host, which is its gateway: documentation addresses of RFC 5737 and RFC 3849. */
const NETWORKS = {
  ipv4: { network: "198.51.100.0/24", gateway: "198.51.100.1", peer: "198.51.100.2", bits: 24 },
  ipv6: { network: "2001:db8:51::/64", gateway: "2001:db8:51::1", peer: "2001:db8:51::2", bits: 64 },
} as const satisfies Readonly<Record<IpFamily, unknown>>;
const NAME = "beyond";
const IN_NAMESPACE = ["ip", "netns", "exec", NAME] as const;

/** A host that is not on the underlay: requests and replies pass a gateway. */
export interface RoutedHost {
  readonly prober: Prober;
  getAddress(family: IpFamily): string;
  /** Removes the network, the gateway's routes and the nodes' routes to it. */
  close(): Promise<void>;
}

/**
 * Creates a routed host.
 * @returns undefined if the external host may not create namespaces (an unprivileged container)
 */
export async function createRoutedHost(context: PluginContext): Promise<RoutedHost | undefined> {
  const { deployment, families, workers } = context;
  const external = getExternalHost(deployment.external);
  if ((await external.exec(["ip", "netns", "add", NAME])).exitCode !== 0) return undefined;
  const ip = (...argv: readonly string[]) => runOnExternalHost(external, ["ip", ...argv]);
  const runInside = (...argv: readonly string[]) => runOnExternalHost(external, [...IN_NAMESPACE, ...argv]);
  await ip("link", "add", "name", NAME, "type", "veth", "peer", "name", "eth0", "netns", NAME);
  await ip("link", "set", NAME, "up");
  await runInside("ip", "link", "set", "eth0", "up");
  for (const family of families) {
    const { gateway, peer, bits, network } = NETWORKS[family];
    const flags = family === "ipv6" ? ["nodad"] : [];
    await ip("address", "add", `${gateway}/${bits}`, "dev", NAME, ...flags);
    await runInside("ip", "address", "add", `${peer}/${bits}`, "dev", "eth0", ...flags);
    await runInside("ip", "route", "add", "default", "via", gateway);
    await runOnExternalHost(external, [
      "sysctl",
      "-qw",
      family === "ipv4" ? "net.ipv4.ip_forward=1" : "net.ipv6.conf.all.forwarding=1",
    ]);
    for (const node of workers.keys())
      await execOnNode(
        context,
        node,
        "ip",
        "route",
        "replace",
        network,
        "via",
        deployment.getAddress("external", "main", family),
      );
  }
  const prober = new Prober(NAME, await external.attach([...IN_NAMESPACE, ...CLIENT]));
  return {
    prober,
    getAddress: (family) => NETWORKS[family].peer,
    close: async () => {
      await prober.close();
      await external.exec(["ip", "link", "delete", NAME]);
      await external.exec(["ip", "netns", "delete", NAME]);
      for (const family of families)
        for (const node of workers.keys())
          await execOnNode(context, node, "ip", "route", "delete", NETWORKS[family].network);
    },
  };
}

export async function runOnExternalHost(external: ExternalHost, argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await external.exec(argv);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} on the outside host: ${stderr.trim()}`);
  return stdout;
}
