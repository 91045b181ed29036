import type { Engine } from "../engine/engine.ts";
import type { ClusterNode, ClusterSpec } from "../provider.ts";
import { networkName } from "./network.ts";

/** kind's containers of a cluster, control plane first. Empty if there is no such cluster. */
export async function listNodes(engine: Engine, spec: ClusterSpec): Promise<readonly ClusterNode[]> {
  const format = [
    "{{.Name}}",
    '{{index .Config.Labels "io.x-k8s.kind.role"}}',
    `{{with index .NetworkSettings.Networks "${networkName(spec.name)}"}}{{.IPAddress}}{{end}}`,
  ].join("\t");
  const ids = (await engine.docker(["ps", "-q", "--filter", `label=io.x-k8s.kind.cluster=${spec.name}`])).stdout;
  const containers = ids.split("\n").filter((id) => id !== "");
  if (containers.length === 0) return [];
  const { stdout } = await engine.docker(["inspect", "--format", format, ...containers]);
  return stdout
    .trim()
    .split("\n")
    .map((line): ClusterNode => {
      const [name = "", role = "", address = ""] = line.split("\t");
      return { name: name.replace(/^\//, ""), role: role === "control-plane" ? "control-plane" : "worker", address };
    })
    .sort((a, b) => a.role.localeCompare(b.role) || a.name.localeCompare(b.name));
}
