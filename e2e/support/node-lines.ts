import type { Cluster } from "../../clusters/provider/provider.ts";

/**
 * Runs commands on every node.
 * @param normalize returns a line without fields that change by themselves; an empty text leaves the line out
 * @returns the lines of their output, each with node and command
 */
export async function readNodeLines(
  cluster: Cluster,
  commands: readonly (readonly string[])[],
  normalize: (line: string) => string,
): Promise<readonly string[]> {
  const lists = await Promise.all(
    cluster.nodes.flatMap(({ name }) =>
      commands.map(async (argv) => {
        const { stdout } = await cluster.exec(name, argv);
        const lines = stdout.split("\n").map(normalize);
        return lines.filter((line) => line !== "").map((line) => `${name}: ${argv.join(" ")}: ${line}`);
      }),
    ),
  );
  return lists.flat();
}
