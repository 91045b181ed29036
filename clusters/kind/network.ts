import type { Engine } from "../docker/engine.ts";
import type { ClusterSpec } from "../provider.ts";
import { gatewayOf } from "../spec.ts";
import type { Step } from "./step.ts";

/** The Docker network that is the underlay: nodes get addresses from `nodeRange`, the rest is for pods. */
export function networkName(cluster: string): string {
  return `${cluster}-underlay`;
}

export const network: Step = {
  title: ({ spec }) => `make the underlay, Docker network ${networkName(spec.name)}`,

  isDone: async ({ engine, spec }) => (await networkFits(engine, spec)) === true,

  do: ({ engine, spec }) => create(engine, spec),

  async undo(engine, cluster) {
    const { exitCode, stderr } = await engine.docker(["network", "rm", networkName(cluster)]);
    if (exitCode !== 0 && (await subnetAndRange(engine, cluster)) !== undefined)
      throw new Error(`Docker network ${networkName(cluster)} could not be removed: ${stderr.trim()}`);
  },
};

/** Whether the network is as the spec wants it; undefined if there is none. */
export async function networkFits(engine: Engine, spec: ClusterSpec): Promise<boolean | undefined> {
  const is = await subnets(engine, spec.name);
  const wanted = [
    `${spec.underlayCidr} ${spec.nodeRange}`,
    ...(spec.ipv6 === undefined ? [] : [spec.ipv6.underlayCidr]),
  ];
  return is && is.join() === wanted.join();
}

/** `10.7.0.0/16 10.7.168.64/26` of the network that is there. */
export async function subnetAndRange(engine: Engine, cluster: string): Promise<string | undefined> {
  return (await subnets(engine, cluster))?.[0];
}

/** As subnetAndRange, and behind it the IPv6 subnet, if there is one. */
async function subnets(engine: Engine, cluster: string): Promise<readonly string[] | undefined> {
  const format = "{{range .IPAM.Config}}{{.Subnet}} {{.IPRange}}\n{{end}}";
  const { exitCode, stdout } = await engine.docker(["network", "inspect", networkName(cluster), "--format", format]);
  if (exitCode !== 0) return undefined;
  const lines = stdout.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").sort((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
}

async function create(engine: Engine, spec: ClusterSpec): Promise<void> {
  const { ipv6 } = spec;
  const { exitCode, stderr } = await engine.docker([
    ...["network", "create", "--driver", "bridge"],
    ...["--subnet", spec.underlayCidr, "--ip-range", spec.nodeRange, "--gateway", gatewayOf(spec.underlayCidr)],
    ...(ipv6 === undefined ? [] : ["--ipv6", "--subnet", ipv6.underlayCidr, "--gateway", gatewayOf(ipv6.underlayCidr)]),
    ...["--opt", "com.docker.network.bridge.enable_ip_masquerade=true"],
    networkName(spec.name),
  ]);
  if (exitCode !== 0)
    throw new Error(
      `Docker network ${networkName(spec.name)} (${spec.underlayCidr}) could not be made: ${stderr.trim()}`,
    );
}
