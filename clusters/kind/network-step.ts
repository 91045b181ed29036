import type { DockerEngine } from "../docker/engine.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { getGateway } from "../spec/address-ranges.ts";
import { allowEgress } from "./egress.ts";
import type { Step } from "./step.ts";

/** Returns the name of a cluster's Docker network, which is its underlay. */
export function getNetworkName(cluster: string): string {
  return `${cluster}-underlay`;
}

/** Creates the Docker network. Docker assigns addresses of `nodeRange` to nodes; the rest is for pods. */
export const networkStep: Step = {
  title: ({ spec }) => `create the underlay, Docker network ${getNetworkName(spec.name)}`,

  isDone: async ({ engine, spec }) => (await networkMatchesSpec(engine, spec)) === true,

  do: ({ engine, spec }) => createNetwork(engine, spec),

  async undo(engine, cluster) {
    await allowEgress(engine, getNetworkName(cluster));
    const { exitCode, stderr } = await engine.docker(["network", "rm", getNetworkName(cluster)]);
    if (exitCode !== 0 && (await readSubnetAndRange(engine, cluster)) !== undefined)
      throw new Error(`cannot remove the Docker network ${getNetworkName(cluster)}: ${stderr.trim()}`);
  },
};

/** Whether the network has the ranges of the spec; undefined if it does not exist. */
export async function networkMatchesSpec(engine: DockerEngine, spec: ClusterSpec): Promise<boolean | undefined> {
  const subnets = await readSubnets(engine, spec.name);
  const expected = [
    `${spec.underlayCidr} ${spec.nodeRange}`,
    ...(spec.ipv6 === undefined ? [] : [spec.ipv6.underlayCidr]),
  ];
  return subnets && subnets.join() === expected.join();
}

/** Returns subnet and range of the network, like `10.7.0.0/16 10.7.168.64/26`; undefined if it does not exist. */
export async function readSubnetAndRange(engine: DockerEngine, cluster: string): Promise<string | undefined> {
  return (await readSubnets(engine, cluster))?.[0];
}

/** Returns subnet and range of the network, then its IPv6 subnet if it has one; undefined if it does not exist. */
async function readSubnets(engine: DockerEngine, cluster: string): Promise<readonly string[] | undefined> {
  const format = "{{range .IPAM.Config}}{{.Subnet}} {{.IPRange}}\n{{end}}";
  const { exitCode, stdout } = await engine.docker(["network", "inspect", getNetworkName(cluster), "--format", format]);
  if (exitCode !== 0) return undefined;
  const lines = stdout.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").sort((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
}

async function createNetwork(engine: DockerEngine, spec: ClusterSpec): Promise<void> {
  const { ipv6 } = spec;
  const { exitCode, stderr } = await engine.docker([
    "network",
    "create",
    "--driver",
    "bridge",
    "--subnet",
    spec.underlayCidr,
    "--ip-range",
    spec.nodeRange,
    "--gateway",
    getGateway(spec.underlayCidr),
    ...(ipv6 === undefined
      ? []
      : ["--ipv6", "--subnet", ipv6.underlayCidr, "--gateway", getGateway(ipv6.underlayCidr)]),
    "--opt",
    "com.docker.network.bridge.enable_ip_masquerade=true",
    getNetworkName(spec.name),
  ]);
  if (exitCode !== 0)
    throw new Error(
      `cannot create the Docker network ${getNetworkName(spec.name)} (${spec.underlayCidr}): ${stderr.trim()}`,
    );
}
