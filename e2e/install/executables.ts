import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode } from "../support/agent-process.ts";

export const BIN_DIRECTORY = "/opt/cni/bin";
/** `interlay-ipam` is a link to the first. */
export const EXECUTABLE_NAMES = ["interlay", "interlay-full"] as const;
const NEWER_DIRECTORY = "/root/newer";
/** Directory of the executables that a lab's containers start. */
const PROGRAMS = "/programs";
/** Padding in the header of an ELF file (e_ident): a change gives another file with the same program. */
const PADDING = 15;

/** Replaces the links of a lab's nodes by files, as an agent installs them. */
export async function installCopies(cluster: Cluster, node: string): Promise<void> {
  for (const name of EXECUTABLE_NAMES) {
    const [path, copy] = [`${BIN_DIRECTORY}/${name}`, `${BIN_DIRECTORY}/${name}.own`];
    await runOnNode(cluster, node, ["cp", "--dereference", path, copy]);
    await runOnNode(cluster, node, ["mv", copy, path]);
  }
}

/** Makes agents that start on the node another version. @param copy writes an executable of that version on the node */
export async function provideVersion(
  cluster: Cluster,
  node: string,
  copy: (name: string, to: string) => Promise<void>,
): Promise<void> {
  await runOnNode(cluster, node, ["mkdir", "--parents", NEWER_DIRECTORY]);
  for (const name of EXECUTABLE_NAMES) {
    const target = `${NEWER_DIRECTORY}/${name}`;
    await copy(name, target);
    await runOnNode(cluster, node, ["mount", "--bind", target, `${PROGRAMS}/${name}`]);
  }
}

/** Makes agents that start on the node a newer version: other contents of the same size. */
export async function provideNewer(cluster: Cluster, node: string): Promise<void> {
  await provideVersion(cluster, node, async (name, newer) => {
    await runOnNode(cluster, node, ["cp", `${PROGRAMS}/${name}`, newer]);
    const argv = ["dd", `of=${newer}`, "bs=1", `seek=${PADDING}`, "conv=notrunc", "status=none"];
    const { exitCode, stderr } = await cluster.exec(node, argv, { stdin: "\u0001" });
    if (exitCode !== 0) throw new Error(`${argv.join(" ")} on ${node}: ${stderr}`);
  });
}

/** Undoes `provideNewer` and `provideVersion`. Idempotent. */
export async function removeNewer(cluster: Cluster, node: string): Promise<void> {
  for (const name of EXECUTABLE_NAMES)
    if ((await cluster.exec(node, ["ls", `${NEWER_DIRECTORY}/${name}`])).exitCode === 0)
      await runOnNode(cluster, node, ["umount", "--lazy", `${PROGRAMS}/${name}`]);
  await runOnNode(cluster, node, ["rm", "--recursive", "--force", NEWER_DIRECTORY]);
}

/** Returns the names of files that differ from those of the node's agent. */
export async function findOutdated(cluster: Cluster, node: string): Promise<readonly string[]> {
  const isCurrent = async (name: string) =>
    (await cluster.exec(node, ["cmp", "--silent", `${PROGRAMS}/${name}`, `${BIN_DIRECTORY}/${name}`])).exitCode === 0;
  const comparisons = await Promise.all(EXECUTABLE_NAMES.map(async (name) => [name, await isCurrent(name)] as const));
  return comparisons.flatMap(([name, isKnown]) => (isKnown ? [] : [`${node}: ${name}`]));
}
