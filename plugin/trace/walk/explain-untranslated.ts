import type { FailureKind, TraceFailure, TracePath, TraceRequest } from "../trace.ts";

/** Kinds of failures of a packet whose destination no host has. */
const LOST: readonly FailureKind[] = ["outside", "no-route", "no-neighbour"];

/** Replaces the failure of a request to a ClusterIP that no rule has translated; returns other paths unchanged. */
export function explainUntranslated<T extends Omit<TracePath, "probability">>(
  { service, destination }: TraceRequest,
  path: T,
): T {
  const { failure, packets } = path;
  const [first, ...others] = packets;
  if (service === undefined || failure === undefined || first === undefined || others.length > 0) return path;
  if (!LOST.includes(failure.kind) || first.hops.at(-1)?.after.destination !== destination) return path;
  const lost: TraceFailure = {
    verdict: "drop",
    kind: "no-translation",
    namespace: failure.namespace,
    text: `no rule of a node on the way translates ${destination}, the address of Service ${service}`,
  };
  return { ...path, verdict: lost.verdict, failure: lost, packets: [{ ...first, failure: lost }] };
}
