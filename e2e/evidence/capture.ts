import type { Cluster } from "../../clusters/provider.ts";
import { FIRST_HOST_PORT, LAST_HOST_PORT } from "../pods/pods.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { readCapture, type ObservedPacket, VXLAN_PORT } from "./pcap.ts";

/** What one namespace saw. `place` is a pod's name, or the node's. */
export interface Tap {
  readonly place: string;
  readonly links: ReadonlyMap<number, string>;
  readonly sightings: readonly ObservedPacket[];
}

/** The nodes that are watched, and how one gets there. */
export type Nodes = Pick<Cluster, "nodes" | "exec">;
/** Of the pods what a capture wants to know. */
export type Watched = ReadonlyMap<string, { readonly node: string }>;

export interface Capture {
  stop(): Promise<readonly Tap[]>;
}

/** Enough for outer, VXLAN and inner headers with the mark behind them. */
const SNAPSHOT_BYTES = 256;
const DIRECTORY = "/run/interlay-e2e-capture";
/** Probes, what they become behind NodePorts and masquerading, pings, and all of them inside VXLAN. */
const FILTER = `(port ${TCP_PORT} or portrange 30000-32767 or portrange ${FIRST_HOST_PORT}-${LAST_HOST_PORT} or icmp or icmp6 or ip6 proto 44 or udp port ${VXLAN_PORT})`;

export interface Namespace {
  readonly node: string;
  readonly place: string;
  /** A process in it; undefined for the node's own. */
  readonly pid: number | undefined;
}

/** What tcpdump may still have before it when the last answer is there. */
const SETTLE_MS = 50;

interface Prepared {
  readonly namespaces: readonly (readonly Namespace[])[];
  /** Of each namespace, by its interface indexes. */
  readonly links: readonly (readonly ReadonlyMap<number, string>[])[];
}
/** Looking for them takes as long as the cells do, and they stay the same while the pods do. */
const prepared = new WeakMap<Watched, Prepared>();

/**
 * A capture in every node's and every probe's network namespace, all interfaces. The programs of a node are lines for its
 * own xargs: an exec apiece would cost more than the probes do.
 */
export async function startCapture(cluster: Nodes, pods: Watched): Promise<Capture> {
  const known = prepared.get(pods);
  if (known === undefined) return start(cluster, await prepare(cluster, pods));
  try {
    return await start(cluster, known);
  } catch {
    prepared.delete(pods); // a pod was started anew
    return start(cluster, await prepare(cluster, pods));
  }
}

async function prepare(cluster: Nodes, pods: Watched): Promise<Prepared> {
  const namespaces = await Promise.all(cluster.nodes.map(({ name }) => listNamespaces(cluster, name, pods)));
  const listings = await eachNode(cluster, namespaces, (mine) =>
    mine.flatMap((ns) => [`${inside(ns)}ip -o link`, "echo @"]),
  );
  const links = namespaces.map((mine, node) => mine.map((_, index) => readLinks(listings[node]?.[index] ?? "")));
  const made = { namespaces, links };
  prepared.set(pods, made);
  return made;
}

async function start(cluster: Nodes, { namespaces, links }: Prepared): Promise<Capture> {
  const stopOne = (ns: Namespace) =>
    `start-stop-daemon --stop --quiet --signal INT --oknodo --pidfile ${fileOf(ns, "pid")}`;
  let pids: readonly string[];
  try {
    await eachNode(cluster, namespaces, (mine) => [
      `mkdir -p -m 700 ${directoryOf(mine[0]?.node ?? "none")}`,
      ...mine.map(tcpdumpLine),
    ]);
    pids = await untilListening(cluster, namespaces.flat().length);
  } catch (error) {
    await eachNode(cluster, namespaces, (mine) => mine.map(stopOne)).catch(() => undefined); // the first error tells more
    throw error;
  }
  return {
    stop: async () => {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      // tcpdump writes every packet at once: nobody has to wait for its end.
      const captures = await eachNode(cluster, namespaces, (mine) => [
        `kill -INT ${pids[cluster.nodes.findIndex(({ name }) => name === mine[0]?.node)] ?? ""}`,
        ...mine.flatMap((ns) => [`base64 --wrap=2000000000 ${fileOf(ns, "pcap")}`, "echo @"]),
        `rm -r -f ${directoryOf(mine[0]?.node ?? "none")}`,
      ]);
      return namespaces.flatMap((mine, node) =>
        mine.map(({ place }, index) => ({
          place,
          links: links[node]?.[index] ?? new Map<number, string>(),
          sightings: readCapture(Buffer.from(captures[node]?.[index] ?? "", "base64")),
        })),
      );
    },
  };
}

/** Runs lines on every node at once, in order. Returns what they wrote, cut at lines of `@`. Throws when one fails. */
function eachNode(
  cluster: Nodes,
  namespaces: Prepared["namespaces"],
  lines: (mine: readonly Namespace[]) => readonly string[],
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

const inside = ({ pid }: Namespace): string => (pid === undefined ? "" : `nsenter --target ${pid} --net `);
const directoryOf = (node: string): string => `${DIRECTORY}/${node}`;
const fileOf = ({ node, place }: Namespace, ending: string): string => `${directoryOf(node)}/${place}.${ending}`;
const tcpdumpLine = (ns: Namespace): string =>
  [
    `${inside(ns)}start-stop-daemon --start --quiet --background --make-pidfile --pidfile ${fileOf(ns, "pid")}`,
    "--exec /usr/bin/tcpdump -- --immediate-mode --packet-buffered --interface any --time-stamp-precision=nano -Z root",
    `--snapshot-length ${SNAPSHOT_BYTES} -B 2048 -w ${fileOf(ns, "pcap")} ${FILTER.replaceAll(/[()]/g, "\\$&")}`,
  ].join(" ");

/** tcpdump writes its file's header once it listens. Returns the processes of each node, for `kill`. */
async function untilListening(cluster: Nodes, wanted: number): Promise<readonly string[]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await Promise.all(
      cluster.nodes.map(async ({ name }) => {
        const { stdout } = await cluster.exec(name, [
          ...["find", directoryOf(name), "-name", "*.pcap", "-size", "+0", "-print"],
          ...["-o", "-name", "*.pid", "-exec", "cat", "{}", "+"],
        ]);
        return stdout.split("\n").filter((line) => line !== "");
      }),
    );
    const listening = found.flat().filter((line) => line.endsWith(".pcap")).length;
    if (listening === wanted) return found.map((lines) => lines.filter((line) => /^\d+$/.test(line)).join(" "));
    if (Date.now() > deadline)
      throw new Error(`Only ${listening} of ${wanted} captures listen: is tcpdump on the nodes?`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The node's own namespace, and that of each pod that runs the probe there (found by its environment). */
export async function listNamespaces(cluster: Nodes, node: string, known: Watched): Promise<readonly Namespace[]> {
  const { stdout } = await cluster.exec(node, [
    ...["find", "/proc", "-maxdepth", "2", "-name", "environ", "-exec"],
    ...["grep", "--text", "--null-data", "--with-filename", "--no-messages", "^PROBE_NAME=", "{}", "+"],
  ]);
  const found = new Map(
    [...stdout.matchAll(/\/proc\/(\d+)\/environ:PROBE_NAME=([\w-]+)/g)].map(([, pid, name]) => [
      name ?? "",
      Number(pid),
    ]),
  );
  return [
    { node, place: node, pid: undefined },
    // A lab's nodes see each other's processes.
    ...[...found]
      .filter(([name]) => !name.startsWith("node-") && known.get(name)?.node === node)
      .map(([place, pid]) => ({ node, place, pid })),
  ];
}

/** `2: eth0@if12: <BROADCAST,…` */
function readLinks(listing: string): ReadonlyMap<number, string> {
  return new Map([...listing.matchAll(/^(\d+): ([^:@]+)/gm)].map(([, index, name]) => [Number(index), name ?? ""]));
}
