import type { Cluster } from "../../clusters/provider.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { readCapture, type Sighting, VXLAN_PORT } from "./pcap.ts";

/** What one namespace saw. `place` is a pod's name, or the node's. */
export interface Tap {
  readonly place: string;
  readonly links: ReadonlyMap<number, string>;
  readonly sightings: readonly Sighting[];
}

export interface Capture {
  stop(): Promise<readonly Tap[]>;
}

/** Enough for outer, VXLAN and inner headers with the mark behind them. */
const SNAPSHOT_BYTES = 256;
const DIRECTORY = "/run/interlay-e2e-capture";
/** Probes, what they become behind NodePorts and masquerading, pings, and all of them inside VXLAN. */
const FILTER = [`(port ${TCP_PORT} or portrange 30000-32767 or icmp or udp port ${VXLAN_PORT})`];

interface Namespace {
  readonly node: string;
  readonly place: string;
  /** A process in it; undefined for the node's own. */
  readonly pid: number | undefined;
}

/**
 * A capture in every node's and every probe's network namespace, all interfaces. A few programs started by each node's
 * own xargs: an exec apiece would cost more than the probes do.
 */
export async function startCapture(cluster: Cluster): Promise<Capture> {
  const namespaces = (await Promise.all(cluster.nodes.map(({ name }) => namespacesOn(cluster, name)))).flat();
  const eachNode = (argv: readonly string[], line: (namespace: Namespace) => string) =>
    Promise.all(
      cluster.nodes.map(async ({ name }) => {
        const mine = namespaces.filter(({ node }) => node === name);
        const result = await cluster.exec(name, argv, { stdin: mine.map((one) => `${line(one)}\n`).join("") });
        if (result.exitCode !== 0)
          throw new Error(`Capturing on ${name} failed: ${(result.stderr || result.stdout).trim().slice(0, 300)}`);
        return { mine, stdout: result.stdout };
      }),
    );
  const inside = ({ pid }: Namespace) => (pid === undefined ? "" : `nsenter --target ${pid} --net `);
  const file = ({ place }: Namespace, ending: string) => `${DIRECTORY}/${place}.${ending}`;
  const runLines = ["xargs", "--max-lines=1", "--max-procs=4", "env"];

  await Promise.all(cluster.nodes.map(({ name }) => cluster.exec(name, ["mkdir", "-p", "-m", "700", DIRECTORY])));
  await eachNode(runLines, (ns) =>
    [
      `${inside(ns)}start-stop-daemon --start --background --make-pidfile --pidfile ${file(ns, "pid")}`,
      "--exec /usr/bin/tcpdump -- --immediate-mode --packet-buffered --interface any --time-stamp-precision=nano -Z root",
      `--snapshot-length ${SNAPSHOT_BYTES} -B 8192 -w ${file(ns, "pcap")} ${FILTER.join(" ").replaceAll(/[()]/g, "\\$&")}`,
    ].join(" "),
  );
  const links = await eachNode(["xargs", "--max-lines=1", "env"], (ns) => `${inside(ns)}ip -o link\necho @`);
  await untilListening(cluster, namespaces);

  return {
    stop: async () => {
      await eachNode(
        runLines,
        (ns) => `start-stop-daemon --stop --signal INT --oknodo --retry 5 --pidfile ${file(ns, "pid")}`,
      );
      const files = await eachNode(["xargs", "--max-lines=1", "base64", "--wrap=2000000000"], (ns) => file(ns, "pcap"));
      await Promise.all(cluster.nodes.map(({ name }) => cluster.exec(name, ["rm", "-r", "-f", DIRECTORY])));
      return files.flatMap(({ mine, stdout }, node) => {
        const captures = stdout.split("\n");
        const linkLists = (links[node]?.stdout ?? "").split(/^@\n?/m);
        return mine.map(({ place }, index) => ({
          place,
          links: readLinks(linkLists[index] ?? ""),
          sightings: readCapture(Buffer.from(captures[index] ?? "", "base64")),
        }));
      });
    },
  };
}

/** tcpdump writes its file's header once it listens. */
async function untilListening(cluster: Cluster, namespaces: readonly Namespace[]): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await Promise.all(
      cluster.nodes.map(({ name }) => cluster.exec(name, ["find", DIRECTORY, "-name", "*.pcap", "-size", "+0"])),
    );
    const listening = found.flatMap(({ stdout }) => stdout.split("\n").filter((line) => line !== "")).length;
    if (listening === namespaces.length) return;
    if (Date.now() > deadline)
      throw new Error(`Only ${listening} of ${namespaces.length} captures listen: is tcpdump on the nodes?`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The node's own namespace, and that of each pod that runs the probe there (found by its environment). */
async function namespacesOn(cluster: Cluster, node: string): Promise<readonly Namespace[]> {
  const { stdout } = await cluster.exec(node, [
    ...["find", "/proc", "-maxdepth", "2", "-name", "environ", "-exec"],
    ...["grep", "--text", "--null-data", "--with-filename", "--no-messages", "^PROBE_NAME=", "{}", "+"],
  ]);
  const pods = new Map(
    [...stdout.matchAll(/\/proc\/(\d+)\/environ:PROBE_NAME=([\w-]+)/g)].map(([, pid, name]) => [
      name ?? "",
      Number(pid),
    ]),
  );
  return [
    { node, place: node, pid: undefined },
    ...[...pods].filter(([name]) => !name.startsWith("node-")).map(([place, pid]) => ({ node, place, pid })),
  ];
}

/** `2: eth0@if12: <BROADCAST,…` */
function readLinks(listing: string): ReadonlyMap<number, string> {
  return new Map([...listing.matchAll(/^(\d+): ([^:@]+)/gm)].map(([, index, name]) => [Number(index), name ?? ""]));
}
