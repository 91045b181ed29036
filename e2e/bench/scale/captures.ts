import type { Cluster } from "../../../clusters/provider/provider.ts";
import { startCapture, type CapturePoint } from "../../evidence/capture.ts";
import { formatHop, type PacketPath, collectPaths } from "../../evidence/path.ts";
import { HANDSHAKE } from "../../evidence/pcap.ts";
import { reserveTokens } from "../../deployment/run-cells.ts";
import { formatToken } from "../../probe/protocol.ts";
import type { ScaleProbe } from "./probes.ts";
import { getErrorMessage } from "../../../plugin/errors/error-message.ts";

/**
 * Repeats a probe with captures in both pods and on both nodes.
 * @returns the problem and where the packets were captured; undefined if the probe passed
 */
export async function describeCapture(
  cluster: Cluster,
  { source, target, address }: ScaleProbe,
  runProbe: (token: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const workers = cluster.nodes.filter(({ role }) => role === "worker");
  const getNodeName = ({ node }: { readonly node: number }): string => workers[node]?.name ?? "";
  const pods = new Map([source, target].map((pod) => [pod.name, { node: getNodeName(pod) }]));
  const nodes = workers.filter(({ name }) => [getNodeName(source), getNodeName(target)].includes(name));
  const token = formatToken(reserveTokens(1));
  let points: readonly CapturePoint[];
  let problem: string | undefined;
  try {
    const capture = await startCapture({ nodes, exec: (...argv) => cluster.exec(...argv) }, pods);
    problem = await runProbe(token);
    points = await capture.stop();
  } catch (error) {
    // The result of the probe is more important than the captures.
    problem ??= await runProbe(token);
    return problem && `${problem}; the captures failed: ${getErrorMessage(error)}`;
  }
  if (problem === undefined) return undefined;
  const paths = collectPaths(points, {
    isNode: (place) => nodes.some(({ name }) => name === place),
    name: (place) => place,
    findNode: () => undefined, // flooded frames of a bridge are not hops
  });
  const path = paths.get(token) ?? findHandshake(paths, source.name, address);
  return `${problem}; ${path === undefined ? "no packet was captured" : describePath(path)}`;
}

/** Finds the SYN of a connection that failed, by source and destination. */
function findHandshake(paths: ReadonlyMap<string, PacketPath>, from: string, address: string): PacketPath | undefined {
  for (const [token, path] of paths) {
    const [first] = path.request;
    if (token.startsWith(HANDSHAKE) && first?.place === from && first.destination.startsWith(address)) return path;
  }
  return undefined;
}

function describePath({ request, reply }: PacketPath): string {
  const formatHops = (seen: PacketPath["request"]): string =>
    seen.length === 0 ? "nowhere" : seen.map(formatHop).join(", ");
  return `request captured at ${formatHops(request)}; reply captured at ${formatHops(reply)}`;
}
