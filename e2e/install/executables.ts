import type { Cluster } from "../../clusters/provider.ts";
import { execOrThrow } from "../support/agent-process.ts";

export const BIN_DIRECTORY = "/opt/cni/bin";
/** `interlay-ipam` is a link to the first. */
export const EXECUTABLE_NAMES = ["interlay", "interlay-full"] as const;
const NEWER_DIRECTORY = "/root/newer";
/** A lab's containers start what lies here. */
const PROGRAMS = "/programs";
/** Padding of an ELF file's header (e_ident): another file, and the same program. */
const PADDING = 15;

/** A lab's nodes have links from their start: files in their place, as an agent installs them. */
export async function installCopies(cluster: Cluster, node: string): Promise<void> {
  for (const name of EXECUTABLE_NAMES) {
    const [path, own] = [`${BIN_DIRECTORY}/${name}`, `${BIN_DIRECTORY}/${name}.own`];
    await execOrThrow(cluster, node, ["cp", "--dereference", path, own]);
    await execOrThrow(cluster, node, ["mv", own, path]);
  }
}

/** From now on the agents that start on the node are of a newer version: another content of the same size. */
export async function provideNewer(cluster: Cluster, node: string): Promise<void> {
  await execOrThrow(cluster, node, ["mkdir", "--parents", NEWER_DIRECTORY]);
  for (const name of EXECUTABLE_NAMES) {
    const newer = `${NEWER_DIRECTORY}/${name}`;
    await execOrThrow(cluster, node, ["cp", `${PROGRAMS}/${name}`, newer]);
    const argv = ["dd", `of=${newer}`, "bs=1", `seek=${PADDING}`, "conv=notrunc", "status=none"];
    const { exitCode, stderr } = await cluster.exec(node, argv, { stdin: "\u0001" });
    if (exitCode !== 0) throw new Error(`${argv.join(" ")} on ${node}: ${stderr}`);
    await execOrThrow(cluster, node, ["mount", "--bind", newer, `${PROGRAMS}/${name}`]);
  }
}

/** Idempotent. */
export async function removeNewer(cluster: Cluster, node: string): Promise<void> {
  for (const name of EXECUTABLE_NAMES)
    if ((await cluster.exec(node, ["ls", `${NEWER_DIRECTORY}/${name}`])).exitCode === 0)
      await execOrThrow(cluster, node, ["umount", "--lazy", `${PROGRAMS}/${name}`]);
  await execOrThrow(cluster, node, ["rm", "--recursive", "--force", NEWER_DIRECTORY]);
}

/** Names that are not, byte for byte, what the node's agent brings along. */
export async function findOutdated(cluster: Cluster, node: string): Promise<readonly string[]> {
  const same = async (name: string) =>
    (await cluster.exec(node, ["cmp", "--silent", `${PROGRAMS}/${name}`, `${BIN_DIRECTORY}/${name}`])).exitCode === 0;
  const known = await Promise.all(EXECUTABLE_NAMES.map(async (name) => [name, await same(name)] as const));
  return known.flatMap(([name, is]) => (is ? [] : [`${node}: ${name}`]));
}
