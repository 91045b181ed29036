import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { listNodeCommands } from "../environments/list-node-commands.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { listFamilies } from "../spec/address-ranges.ts";
import { getClusterDirectory } from "./cluster-files.ts";
import { listNodes } from "./list-nodes.ts";
import type { Step } from "./step.ts";

/** Returns the path of the file with the environment of the nodes. */
const getEnvironmentFile = (cluster: string): string => join(getClusterDirectory(cluster), "environment.json");

const describeEnvironment = ({ environment }: ClusterSpec): string => JSON.stringify(environment?.spec ?? {});

/** Whether the nodes of the cluster have the environment of the spec. */
export async function matchesEnvironment(spec: ClusterSpec): Promise<boolean> {
  const recorded = await readFile(getEnvironmentFile(spec.name), "utf8").catch(() => "{}");
  return recorded === describeEnvironment(spec);
}

/** Records the environment of the nodes, in a file of the cluster's directory. */
export async function recordEnvironment(spec: ClusterSpec): Promise<void> {
  await writeFile(getEnvironmentFile(spec.name), describeEnvironment(spec), { mode: 0o600 });
}

/** Applies the environment's settings of nodes, rules and sysctls, before Calico and kube-proxy write rules. */
export const nodeSettingsStep: Step = {
  title: () => "apply the environment's settings of nodes",

  /** Rules are appended, so nodes that have them are skipped. */
  isDone: async ({ engine, spec }) => {
    if (spec.environment?.spec.nodes === undefined) return true;
    const [node] = await listNodes(engine, spec.name);
    const { exitCode } = await engine.docker(["exec", node?.name ?? "", "test", "-e", MARK]);
    return exitCode === 0;
  },

  async do({ engine, spec }) {
    const commands = listNodeCommands(spec.environment?.spec.nodes ?? {}, listFamilies(spec));
    for (const { name } of (await listNodes(engine, spec.name)).toReversed())
      for (const argv of [...commands, ["touch", MARK]]) {
        const { exitCode, stderr } = await engine.docker(["exec", name, ...argv]);
        if (exitCode !== 0) throw new Error(`\`${argv.join(" ")}\` on ${name} failed: ${stderr.trim()}`);
      }
  },
};

/** File on a node that has its settings. */
const MARK = "/run/interlay-environment";
