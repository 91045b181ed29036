import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode } from "../support/agent-process.ts";

/** One end of a connection: a network namespace on a node. */
export interface StreamEnd {
  readonly node: string;
  readonly netns: string;
  readonly address: string;
}

/** Returns the network namespace that has the address. */
export async function findNetns(cluster: Cluster, node: string, address: string): Promise<string> {
  const names = (await runOnNode(cluster, node, ["ip", "netns", "list"]))
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
  for (const name of names.filter((text) => text !== "")) {
    const { stdout } = await cluster.exec(node, ["ip", "-n", name, "-o", "address"]);
    if (stdout.includes(` ${address}/`)) return `/var/run/netns/${name}`;
  }
  throw new Error(`no network namespace of ${node} has the address ${address}`);
}

type Sender = "client" | "server";

/** Seconds without a line after which the client ends: it gets no error if a node has lost its connection. */
const SILENCE = "60";

/**
 * Runs a connection over which one end sends a line every second.
 * @returns the number of lines that the other end received
 * @param sender `client`: the first packet after a flush of conntrack then has the direction of the connection
 */
async function runStream(
  cluster: Cluster,
  {
    client,
    server,
    sender = "server",
  }: { readonly client: StreamEnd; readonly server: StreamEnd; readonly sender?: Sender },
  lines: number,
  port: number,
): Promise<number> {
  const feed = `EXEC:vmstat -n 1 ${lines}`;
  const socat = ({ node, netns }: StreamEnd, ...argv: readonly string[]) =>
    cluster.exec(node, ["nsenter", `--net=${netns}`, "socat", "-T", SILENCE, "-u", ...argv]);
  const listenAddress = `TCP-LISTEN:${port},reuseaddr`;
  const connectAddress = `TCP:${server.address}:${port},retry=20,interval=0.2`;
  const [serverRun, clientRun] =
    sender === "server"
      ? [socat(server, feed, listenAddress), socat(client, connectAddress, "-")]
      : [socat(server, listenAddress, "-"), socat(client, feed, connectAddress)];
  const results = await Promise.all([serverRun, clientRun]);
  const { stdout } = results[sender === "server" ? 1 : 0];
  const lineCount = stdout.split("\n").filter((line) => /^\s*\d/.test(line)).length;
  if (lineCount === 0)
    throw new Error(
      `${client.node} -> ${server.address}: ${results.map(({ stderr }) => stderr.trim()).join("; ") || "nothing was received"}`,
    );
  return lineCount;
}

/** Client and server of a stream; `sender` only if the client sends. */
export interface StreamPath {
  readonly name: string;
  readonly client: StreamEnd;
  readonly server: StreamEnd;
  readonly sender?: "client";
}

/** Time until the connections are established and the disturbance starts. */
const ESTABLISHED_MS = 2000;

/** Runs `disturb` while a connection runs on each path, on consecutive ports; every line must arrive. */
export async function assertStreamsSurvive(
  cluster: Cluster,
  paths: readonly StreamPath[],
  { lines, port }: { readonly lines: number; readonly port: number },
  disturb: () => Promise<unknown>,
): Promise<void> {
  const counts = Promise.all(
    paths.map(async ({ name, ...path }, index) => ({
      name,
      received: await runStream(cluster, path, lines, port + index),
    })),
  );
  await sleep(ESTABLISHED_MS);
  await disturb();
  for (const { name, received } of await counts) assert.equal(received, lines, `${name} ended early`);
}
