import type { TraceFailure } from "../trace.ts";

/** Ends the walk of a packet; caught by `walkPacket`'s caller, which reports the failure. */
export class PacketLost extends Error {
  override readonly name = "PacketLost";

  readonly failure: TraceFailure;

  constructor(failure: TraceFailure) {
    super(failure.text);
    this.failure = failure;
  }
}

/** Builds the error that ends a packet's walk. */
export function losePacket(
  verdict: TraceFailure["verdict"],
  kind: TraceFailure["kind"],
  namespace: string,
  text: string,
  decided: Pick<TraceFailure, "hook" | "rule" | "mtu"> = {},
): PacketLost {
  return new PacketLost({ verdict, kind, namespace, text, ...decided });
}
