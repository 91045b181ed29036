import type { Engine } from "../engine/engine.ts";
import { gatewayOf } from "../kubernetes/addons.ts";
import type { ClusterSpec } from "../provider.ts";
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
  const is = await subnetAndRange(engine, spec.name);
  return is === undefined ? undefined : is === `${spec.underlayCidr} ${spec.nodeRange}`;
}

/** `10.7.0.0/16 10.7.168.64/26` of the network that is there. */
export async function subnetAndRange(engine: Engine, cluster: string): Promise<string | undefined> {
  const format = "{{with index .IPAM.Config 0}}{{.Subnet}} {{.IPRange}}{{end}}";
  const { exitCode, stdout } = await engine.docker(["network", "inspect", networkName(cluster), "--format", format]);
  return exitCode === 0 ? stdout.trim() : undefined;
}

async function create(engine: Engine, spec: ClusterSpec): Promise<void> {
  const { exitCode, stderr } = await engine.docker([
    ...["network", "create", "--driver", "bridge"],
    ...["--subnet", spec.underlayCidr, "--ip-range", spec.nodeRange, "--gateway", gatewayOf(spec.underlayCidr)],
    ...["--opt", "com.docker.network.bridge.enable_ip_masquerade=true"],
    networkName(spec.name),
  ]);
  if (exitCode !== 0)
    throw new Error(
      `Docker network ${networkName(spec.name)} (${spec.underlayCidr}) could not be made: ${stderr.trim()}`,
    );
}
