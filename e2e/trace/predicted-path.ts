import { formatEndpoint } from "../../plugin/trace/walk/run-hook.ts";
import type { Trace, TraceHop } from "../../plugin/trace/trace.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { EXTERNAL_HOST } from "./collect-cluster.ts";
import { classifyNodeLink, type PacketPath, type SeenHop } from "../evidence/path.ts";

type Names = Pick<Deployment, "namespace" | "workers">;

/**
 * Converts a trace to the hops that captures show, of the packets that carry the probe: the request and its reply, or the last
 * packet of each direction before one is lost. Of a random choice the first path is taken.
 */
export function toPredictedPath({ paths }: Trace, names: Names): PacketPath {
  const packets = paths[0]?.packets ?? [];
  const listHops = (direction: "request" | "reply"): readonly SeenHop[] => {
    const hops = packets.findLast((packet) => packet.direction === direction)?.hops ?? [];
    return hops.flatMap((hop) => listSightings(hop, names));
  };
  return { request: listHops("request"), reply: listHops("reply") };
}

function listSightings(
  { namespace, inLink, outLink, before, after, outer, passes }: TraceHop,
  names: Names,
): readonly SeenHop[] {
  const listSeenHops = (
    place: TraceHop["namespace"],
    link: string | undefined,
    direction: "in" | "out",
    tuple: TraceHop["before"],
  ): readonly SeenHop[] =>
    // The external host has no capture.
    link === undefined || place.name === EXTERNAL_HOST
      ? []
      : [
          {
            place: getPlace(place, names),
            link: place.kind === "node" ? classifyNodeLink(link, outer !== undefined) : link,
            direction,
            source: formatEndpoint(tuple.source, tuple.sourcePort),
            destination: formatEndpoint(tuple.destination, tuple.destinationPort),
          },
        ];
  return [
    ...listSeenHops(namespace, inLink, "in", before),
    ...listSeenHops(namespace, outLink, "out", after),
    ...passes.flatMap((pass) => listSeenHops(pass.namespace, pass.link, pass.direction, after)),
  ];
}

/** Returns the name that captures give a place: that of the suite's pod, `node-1`, … or `control-plane`. */
function getPlace({ kind, name }: TraceHop["namespace"], { namespace, workers }: Names): string {
  if (kind !== "node") return name.startsWith(`${namespace}/`) ? name.slice(namespace.length + 1) : name;
  const index = workers.indexOf(name);
  return index < 0 ? "control-plane" : `node-${index + 1}`;
}
