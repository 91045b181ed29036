import type { Cluster } from "../../clusters/provider/provider.ts";
import { FIRST_HOST_PORT, LAST_HOST_PORT } from "../pods/suite-pods.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { readCapture, type ObservedPacket, VXLAN_PORT } from "./pcap.ts";

/** Packets that one network namespace saw. `place` is the name of its pod or node. */
export interface CapturePoint {
  readonly place: string;
  readonly links: ReadonlyMap<number, string>;
  readonly packets: readonly ObservedPacket[];
}

/** Nodes with captures. */
type CaptureNodes = Pick<Cluster, "nodes" | "exec">;
/** Pods with captures: their nodes by name. */
type CapturedPods = ReadonlyMap<string, { readonly node: string }>;

interface Capture {
  stop(): Promise<readonly CapturePoint[]>;
}

/** Length of a captured packet's beginning: outer, VXLAN and inner headers, and the mark after them. */
const SNAPSHOT_BYTES = 256;
const DIRECTORY = "/run/interlay-e2e-capture";
/** Probes, also translated by NodePorts and masquerading, pings, and all of these inside VXLAN. */
const FILTER = `(port ${TCP_PORT} or portrange 30000-32767 or portrange ${FIRST_HOST_PORT}-${LAST_HOST_PORT} or icmp or icmp6 or ip6 proto 44 or udp port ${VXLAN_PORT})`;

interface CaptureNamespace {
  readonly node: string;
  readonly place: string;
  /** Id of a process in it; undefined for the node's own namespace. */
  readonly pid: number | undefined;
}

/** Time for tcpdump to read the last packets. */
const SETTLE_MS = 50;

interface PreparedCapture {
  readonly namespaces: readonly (readonly CaptureNamespace[])[];
  /** Link names of each namespace, by interface index. */
  readonly links: readonly (readonly ReadonlyMap<number, string>[])[];
}
/** Namespaces of earlier captures. To find them takes as long as to probe the cells, and they change only with the pods. */
const preparedCaptures = new WeakMap<CapturedPods, PreparedCapture>();

/**
 * Starts a capture on all interfaces in the network namespace of every node and every probe. One xargs on each node starts the
 * node's programs: an exec for each program would take longer than the probes.
 */
export async function startCapture(cluster: CaptureNodes, pods: CapturedPods): Promise<Capture> {
  const preparedCapture = preparedCaptures.get(pods);
  if (preparedCapture === undefined) return startPrepared(cluster, await prepareCapture(cluster, pods));
  try {
    return await startPrepared(cluster, preparedCapture);
  } catch {
    preparedCaptures.delete(pods); // a pod was restarted
    return startPrepared(cluster, await prepareCapture(cluster, pods));
  }
}

async function prepareCapture(cluster: CaptureNodes, pods: CapturedPods): Promise<PreparedCapture> {
  const namespaces = await Promise.all(cluster.nodes.map(({ name }) => listNamespaces(cluster, name, pods)));
  const listings = await runOnNodes(cluster, namespaces, (ownNamespaces) =>
    ownNamespaces.flatMap((ns) => [`${enterPrefix(ns)}ip -o link`, "echo @"]),
  );
  const links = namespaces.map((ownNamespaces, node) =>
    ownNamespaces.map((_, index) => readLinks(listings[node]?.[index] ?? "")),
  );
  const created = { namespaces, links };
  preparedCaptures.set(pods, created);
  return created;
}

async function startPrepared(cluster: CaptureNodes, { namespaces, links }: PreparedCapture): Promise<Capture> {
  const buildStopLine = (ns: CaptureNamespace) =>
    `start-stop-daemon --stop --quiet --signal INT --oknodo --pidfile ${getCaptureFile(ns, "pid")}`;
  let pids: readonly string[];
  try {
    await runOnNodes(cluster, namespaces, (ownNamespaces) => [
      `mkdir -p -m 700 ${getCaptureDirectory(ownNamespaces[0]?.node ?? "none")}`,
      ...ownNamespaces.map(buildTcpdumpLine),
    ]);
    pids = await waitUntilListening(cluster, namespaces.flat().length);
  } catch (error) {
    await runOnNodes(cluster, namespaces, (ownNamespaces) => ownNamespaces.map(buildStopLine)).catch(() => undefined); // the first error is the cause
    throw error;
  }
  return {
    stop: async () => {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      // tcpdump writes each packet at once, so that the files are complete before it ends.
      const captures = await runOnNodes(cluster, namespaces, (ownNamespaces) => [
        `kill -INT ${pids[cluster.nodes.findIndex(({ name }) => name === ownNamespaces[0]?.node)] ?? ""}`,
        ...ownNamespaces.flatMap((ns) => [`base64 --wrap=2000000000 ${getCaptureFile(ns, "pcap")}`, "echo @"]),
        `rm -r -f ${getCaptureDirectory(ownNamespaces[0]?.node ?? "none")}`,
      ]);
      return namespaces.flatMap((ownNamespaces, node) =>
        ownNamespaces.map(({ place }, index) => ({
          place,
          links: links[node]?.[index] ?? new Map<number, string>(),
          packets: readCapture(Buffer.from(captures[node]?.[index] ?? "", "base64")),
        })),
      );
    },
  };
}

/**
 * Runs lines in order, on all nodes in parallel.
 * @returns their output, split at lines of `@`
 * @throws an error if a line fails
 */
function runOnNodes(
  cluster: CaptureNodes,
  namespaces: PreparedCapture["namespaces"],
  lines: (ownNamespaces: readonly CaptureNamespace[]) => readonly string[],
): Promise<readonly (readonly string[])[]> {
  return Promise.all(
    cluster.nodes.map(async ({ name }, node) => {
      const stdin = lines(namespaces[node] ?? [])
        .map((line) => `${line}\n`)
        .join("");
      const result = await cluster.exec(name, ["xargs", "--max-lines=1", "env"], { stdin });
      if (result.exitCode !== 0)
        throw new Error(`Capturing on ${name} failed: ${(result.stderr || result.stdout).trim().slice(0, 300)}`);
      return result.stdout.split(/^@\n/m);
    }),
  );
}

const enterPrefix = ({ pid }: CaptureNamespace): string => (pid === undefined ? "" : `nsenter --target ${pid} --net `);
const getCaptureDirectory = (node: string): string => `${DIRECTORY}/${node}`;
const getCaptureFile = ({ node, place }: CaptureNamespace, ending: string): string =>
  `${getCaptureDirectory(node)}/${place}.${ending}`;
const buildTcpdumpLine = (ns: CaptureNamespace): string =>
  [
    `${enterPrefix(ns)}start-stop-daemon --start --quiet --background --make-pidfile --pidfile ${getCaptureFile(ns, "pid")}`,
    "--exec /usr/bin/tcpdump -- --immediate-mode --packet-buffered --interface any --time-stamp-precision=nano -Z root",
    `--snapshot-length ${SNAPSHOT_BYTES} -B 2048 -w ${getCaptureFile(ns, "pcap")} ${FILTER.replaceAll(/[()]/g, "\\$&")}`,
  ].join(" ");

/** Waits until each tcpdump has written the header of its file. @returns the process ids of each node, for `kill` */
async function waitUntilListening(cluster: CaptureNodes, count: number): Promise<readonly string[]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const listings = await Promise.all(
      cluster.nodes.map(async ({ name }) => {
        const { stdout } = await cluster.exec(name, [
          "find",
          getCaptureDirectory(name),
          "-name",
          "*.pcap",
          "-size",
          "+0",
          "-print",
          "-o",
          "-name",
          "*.pid",
          "-exec",
          "cat",
          "{}",
          "+",
        ]);
        return stdout.split("\n").filter((line) => line !== "");
      }),
    );
    const listening = listings.flat().filter((line) => line.endsWith(".pcap")).length;
    if (listening === count) return listings.map((lines) => lines.filter((line) => /^\d+$/.test(line)).join(" "));
    if (Date.now() > deadline)
      throw new Error(`Only ${listening} of ${count} captures run: is tcpdump installed on the nodes?`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Returns the node's own namespace, and that of each pod there that runs the probe (found by its environment). */
export async function listNamespaces(
  cluster: Pick<CaptureNodes, "exec">,
  node: string,
  pods: CapturedPods,
): Promise<readonly CaptureNamespace[]> {
  const { stdout } = await cluster.exec(node, [
    "find",
    "/proc",
    "-maxdepth",
    "2",
    "-name",
    "environ",
    "-exec",
    "grep",
    "--text",
    "--null-data",
    "--with-filename",
    "--no-messages",
    "^PROBE_NAME=",
    "{}",
    "+",
  ]);
  const pidsByName = new Map(
    [...stdout.matchAll(/\/proc\/(\d+)\/environ:PROBE_NAME=([\w-]+)/g)].map(([, pid, name]) => [
      name ?? "",
      Number(pid),
    ]),
  );
  return [
    { node, place: node, pid: undefined },
    // The nodes of a lab see each other's processes.
    ...[...pidsByName]
      .filter(([name]) => !name.startsWith("node-") && pods.get(name)?.node === node)
      .map(([place, pid]) => ({ node, place, pid })),
  ];
}

/** Parses the output of `ip -o link`: `2: eth0@if12: <BROADCAST,…`. @returns link names by interface index */
function readLinks(listing: string): ReadonlyMap<number, string> {
  return new Map([...listing.matchAll(/^(\d+): ([^:@]+)/gm)].map(([, index, name]) => [Number(index), name ?? ""]));
}
