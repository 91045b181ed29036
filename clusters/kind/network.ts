import type { Engine } from "../engine/engine.ts";
import type { ClusterSpec } from "../provider.ts";

/** The Docker network that is the underlay: nodes get addresses from `nodeRange`, the rest is for pods. */
export function networkName(cluster: string): string {
  return `${cluster}-underlay`;
}

/** First address of the underlay: Docker's bridge, and so the nodes' and pods' gateway. */
export function gatewayOf(underlayCidr: string): string {
  const [address = ""] = underlayCidr.split("/");
  return address.replace(/\.\d+$/, ".1");
}

export async function ensureNetwork(engine: Engine, spec: ClusterSpec): Promise<void> {
  const name = networkName(spec.name);
  const inspected = await engine.docker(["network", "inspect", name, "--format", "{{(index .IPAM.Config 0).Subnet}}"]);
  if (inspected.exitCode === 0) {
    const subnet = inspected.stdout.trim();
    if (subnet !== spec.underlayCidr)
      throw new Error(`Docker network ${name} is ${subnet}, not ${spec.underlayCidr}: run npm run down first.`);
    return;
  }
  const created = await engine.docker([
    ...["network", "create", "--driver", "bridge"],
    ...["--subnet", spec.underlayCidr, "--ip-range", spec.nodeRange, "--gateway", gatewayOf(spec.underlayCidr)],
    ...["--opt", "com.docker.network.bridge.enable_ip_masquerade=true"],
    name,
  ]);
  if (created.exitCode !== 0)
    throw new Error(`Docker network ${name} (${spec.underlayCidr}) could not be made: ${created.stderr.trim()}`);
}

export async function removeNetwork(engine: Engine, cluster: string): Promise<void> {
  await engine.docker(["network", "rm", networkName(cluster)]);
}
