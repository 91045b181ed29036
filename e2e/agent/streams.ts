import type { Cluster } from "../../clusters/provider.ts";
import { must } from "../agent-process.ts";

/** One end of a connection: a network namespace on a node. */
export interface End {
  readonly node: string;
  readonly netns: string;
  readonly address: string;
}

/** Network namespaces that have the address, by a look into each. */
export async function netnsOf(cluster: Cluster, node: string, address: string): Promise<string> {
  const names = (await must(cluster, node, ["ip", "netns", "list"]))
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
  for (const name of names.filter((n) => n !== "")) {
    const { stdout } = await cluster.exec(node, ["ip", "-n", name, "-o", "address"]);
    if (stdout.includes(` ${address}/`)) return `/var/run/netns/${name}`;
  }
  throw new Error(`no network namespace of ${node} has the address ${address}`);
}

const PORT = 7777;
/** So long without a line, and the client gives up: nobody tells it that a node has forgotten its connection. Seconds. */
const SILENCE = "60";

/** A connection over which the server sends a line a second; resolves with how many lines the client got to its end. */
export async function stream(cluster: Cluster, client: End, server: End, lines: number, port = PORT): Promise<number> {
  const serving = cluster.exec(server.node, [
    "nsenter",
    `--net=${server.netns}`,
    "socat",
    "-u",
    `EXEC:vmstat -n 1 ${lines}`,
    `TCP-LISTEN:${port},reuseaddr`,
  ]);
  const { stdout, stderr } = await cluster.exec(client.node, [
    "nsenter",
    `--net=${client.netns}`,
    "socat",
    "-T",
    SILENCE,
    "-u",
    `TCP:${server.address}:${port},retry=20,interval=0.2`,
    "-",
  ]);
  await serving;
  const got = stdout.split("\n").filter((line) => /^\s*\d/.test(line)).length;
  if (got === 0) throw new Error(`${client.node} -> ${server.address}: ${stderr.trim() || "nothing was received"}`);
  return got;
}
