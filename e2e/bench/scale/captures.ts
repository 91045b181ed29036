import type { Cluster } from "../../../clusters/provider.ts";
import { startCapture, type CapturePoint } from "../../evidence/capture.ts";
import { formatHop, type Path, collectPaths } from "../../evidence/path.ts";
import { HANDSHAKE } from "../../evidence/pcap.ts";
import { reserveTokens } from "../../matrix/run.ts";
import { formatToken } from "../../probe/protocol.ts";
import type { ScaleProbe } from "./probes.ts";
import { getErrorMessage } from "../../../clusters/error-message.ts";

/**
 * Asks once more with captures in both pods and on both nodes. What is wrong with the answer (undefined: nothing), and
 * where the packets were seen.
 */
export async function describeCapture(
  cluster: Cluster,
  { source, target, address }: ScaleProbe,
  ask: (token: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const workers = cluster.nodes.filter(({ role }) => role === "worker");
  const at = ({ node }: { readonly node: number }): string => workers[node]?.name ?? "";
  const pods = new Map([source, target].map((pod) => [pod.name, { node: at(pod) }]));
  const nodes = workers.filter(({ name }) => [at(source), at(target)].includes(name));
  const token = formatToken(reserveTokens(1));
  let taps: readonly CapturePoint[];
  let said: string | undefined;
  try {
    const capture = await startCapture({ nodes, exec: (...of) => cluster.exec(...of) }, pods);
    said = await ask(token);
    taps = await capture.stop();
  } catch (error) {
    // What the question said is worth more than where its packets were.
    said ??= await ask(token);
    return said && `${said}; its packets could not be looked at: ${getErrorMessage(error)}`;
  }
  if (said === undefined) return undefined;
  const paths = collectPaths(taps, {
    isNode: (place) => nodes.some(({ name }) => name === place),
    name: (place) => place,
    nodeOf: () => undefined, // frames that a bridge floods do not count as hops
  });
  const path = paths.get(token) ?? handshake(paths, source.name, address);
  return `${said}; ${path === undefined ? "no packet of it was seen" : wayText(path)}`;
}

/** Of a connection that was not made: its SYN, by who sent it to whom. */
function handshake(paths: ReadonlyMap<string, Path>, from: string, address: string): Path | undefined {
  for (const [token, path] of paths) {
    const [first] = path.request;
    if (token.startsWith(HANDSHAKE) && first?.place === from && first.destination.startsWith(address)) return path;
  }
  return undefined;
}

function wayText({ request, reply }: Path): string {
  const hops = (seen: Path["request"]): string => (seen.length === 0 ? "nowhere" : seen.map(formatHop).join(", "));
  return `request seen at ${hops(request)}; reply seen at ${hops(reply)}`;
}
