import type { FailureKind, TraceFailure, TracePath, TraceRequest } from "../trace.ts";

/** Failures of a packet that goes to where nobody has its destination. */
const LOST: readonly FailureKind[] = ["outside", "no-route", "no-neighbour"];

/** Says that a request to a ClusterIP is lost because no rule has translated it; other paths stay as they are. */
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
