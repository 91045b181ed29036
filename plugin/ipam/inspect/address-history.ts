import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { LOG_FILE } from "../../cni/call-log.ts";
import { IPAM_PLUGIN } from "../ipam-log.ts";

/** Calls of the IPAM plugin on one node, as `interlay ipam calls` prints them. */
export const nodeHistory = z.object({
  node: z.string(),
  calls: z.array(
    z.object({
      time: z.string(),
      command: z.enum(["ADD", "DEL"]),
      containerId: z.string(),
      ifname: z.string(),
      pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
      addresses: z.array(z.string()).default([]),
    }),
  ),
});
export type NodeHistory = z.infer<typeof nodeHistory>;

/** Time in which one container had an address. */
export interface AddressUse {
  readonly address: string;
  readonly pod: string;
  readonly node: string;
  readonly ifname: string;
  readonly containerId: string;
  readonly since: string;
  /** Undefined if the log has no DEL of the container. */
  readonly until: string | undefined;
}

const logLine = z.object({ plugin: z.literal(IPAM_PLUGIN), error: z.undefined().optional() });

/** Reads the successful ADDs and DELs from the node's log and its rotated part. */
export function readNodeHistory(node: string, file = LOG_FILE): NodeHistory {
  const lines = [`${file}.1`, file].flatMap((path) => (existsSync(path) ? readFileSync(path, "utf8").split("\n") : []));
  return { node, calls: lines.flatMap(parseCall) };
}

function parseCall(line: string): NodeHistory["calls"] {
  try {
    const value: unknown = JSON.parse(line);
    const call = nodeHistory.shape.calls.element.safeParse(value);
    return call.success && logLine.safeParse(value).success ? [call.data] : [];
  } catch {
    return []; // the line that is being written
  }
}

/** Lists who had which address, the earliest use first. */
export function listAddressUses(nodes: readonly NodeHistory[]): readonly AddressUse[] {
  const uses = nodes.flatMap(({ node, calls }) => {
    const ends = calls.filter(({ command }) => command === "DEL");
    return calls
      .filter(({ command }) => command === "ADD")
      .flatMap(({ time, containerId, ifname, pod, addresses }) => {
        const end = ends.find(
          (call) =>
            call.containerId === containerId && call.ifname === ifname && Date.parse(call.time) >= Date.parse(time),
        );
        return addresses.map((address) => ({
          address,
          pod: `${pod.namespace}/${pod.name}`,
          node,
          ifname,
          containerId,
          since: time,
          until: end?.time,
        }));
      });
  });
  return uses.toSorted((a, b) => a.since.localeCompare(b.since));
}
