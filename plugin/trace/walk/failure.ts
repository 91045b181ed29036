import type { Failure } from "../trace.ts";

/** Ends the walk of a packet; caught by `walkPacket`'s caller, which reports the failure. */
export class PacketLost extends Error {
  override readonly name = "PacketLost";

  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.text);
    this.failure = failure;
  }
}

/** Builds the error that ends a packet's walk. */
export function losePacket(
  verdict: Failure["verdict"],
  kind: Failure["kind"],
  namespace: string,
  text: string,
  decided: Pick<Failure, "hook" | "rule" | "mtu"> = {},
): PacketLost {
  return new PacketLost({ verdict, kind, namespace, text, ...decided });
}
