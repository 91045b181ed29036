import type { Cluster } from "../../clusters/provider.ts";
import type { Deployment } from "../pods/deploy.ts";
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
const FILTER = `(port ${TCP_PORT} or portrange 30000-32767 or icmp or icmp6 or udp port ${VXLAN_PORT})`;

export interface Namespace {
  readonly node: string;
  readonly place: string;
  /** A process in it; undefined for the node's own. */
  readonly pid: number | undefined;
}

/** What tcpdump may still have before it when the last answer is there. */
const SETTLE_MS = 50;

/**
 * A capture in every node's and every probe's network namespace, all interfaces. The programs of a node are lines for its
 * own xargs: an exec apiece would cost more than the probes do.
 */
export async function startCapture(cluster: Cluster, pods: Deployment["pods"]): Promise<Capture> {
  const found = await Promise.all(
    cluster.nodes.map(async ({ name }) => {
      const [namespaces] = await Promise.all([
        namespacesOn(cluster, name, pods),
        cluster.exec(name, ["mkdir", "-p", "-m", "700", directoryOf(name)]),
      ]);
      return namespaces;
    }),
  );
  const eachNode = (lines: (mine: readonly Namespace[]) => readonly string[]) =>
    Promise.all(
      cluster.nodes.map(async ({ name }, node) => {
        const mine = found[node] ?? [];
        const stdin = lines(mine)
          .map((line) => `${line}\n`)
          .join("");
        const result = await cluster.exec(name, ["xargs", "--max-lines=1", "env"], { stdin });
        if (result.exitCode !== 0)
          throw new Error(`Capturing on ${name} failed: ${(result.stderr || result.stdout).trim().slice(0, 300)}`);
        return { mine, lines: result.stdout.split(/^@\n/m) };
      }),
    );

  const links = await eachNode((mine) => [
    ...mine.map(tcpdumpLine),
    ...mine.flatMap((ns) => [`${inside(ns)}ip -o link`, "echo @"]),
  ]);
  await untilListening(cluster, found.flat().length);

  return {
    stop: async () => {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const captures = await eachNode((mine) => [
        ...mine.map((ns) => `start-stop-daemon --stop --quiet --signal INT --oknodo --pidfile ${fileOf(ns, "pid")}`),
        ...mine.flatMap((ns) => [
          `start-stop-daemon --stop --quiet --signal INT --oknodo --retry 5 --pidfile ${fileOf(ns, "pid")}`,
          `base64 --wrap=2000000000 ${fileOf(ns, "pcap")}`,
          "echo @",
        ]),
        `rm -r -f ${directoryOf(mine[0]?.node ?? "none")}`,
      ]);
      return captures.flatMap(({ mine, lines }, node) =>
        mine.map(({ place }, index) => ({
          place,
          links: readLinks(links[node]?.lines[index] ?? ""),
          sightings: readCapture(Buffer.from(lines[index] ?? "", "base64")),
        })),
      );
    },
  };
}

const inside = ({ pid }: Namespace): string => (pid === undefined ? "" : `nsenter --target ${pid} --net `);
const directoryOf = (node: string): string => `${DIRECTORY}/${node}`;
const fileOf = ({ node, place }: Namespace, ending: string): string => `${directoryOf(node)}/${place}.${ending}`;
const tcpdumpLine = (ns: Namespace): string =>
  [
    `${inside(ns)}start-stop-daemon --start --quiet --background --make-pidfile --pidfile ${fileOf(ns, "pid")}`,
    "--exec /usr/bin/tcpdump -- --immediate-mode --packet-buffered --interface any --time-stamp-precision=nano -Z root",
    `--snapshot-length ${SNAPSHOT_BYTES} -B 8192 -w ${fileOf(ns, "pcap")} ${FILTER.replaceAll(/[()]/g, "\\$&")}`,
  ].join(" ");

/** tcpdump writes its file's header once it listens. */
async function untilListening(cluster: Cluster, wanted: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await Promise.all(
      cluster.nodes.map(({ name }) =>
        cluster.exec(name, ["find", directoryOf(name), "-name", "*.pcap", "-size", "+0"]),
      ),
    );
    const listening = found.flatMap(({ stdout }) => stdout.split("\n").filter((line) => line !== "")).length;
    if (listening === wanted) return;
    if (Date.now() > deadline)
      throw new Error(`Only ${listening} of ${wanted} captures listen: is tcpdump on the nodes?`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The node's own namespace, and that of each pod that runs the probe there (found by its environment). */
export async function namespacesOn(
  cluster: Cluster,
  node: string,
  known: Deployment["pods"],
): Promise<readonly Namespace[]> {
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
