import type { Packet } from "../../packet.ts";
import type { StatementContext } from "../model/ruleset.ts";
import type { KeyType } from "./value-matcher.ts";
import type { Reading } from "./value.ts";

/** Reads the value of an expression from a packet. */
export type Reader = (packet: Packet, context: StatementContext) => Reading;

/** An expression whose value is read from a packet. */
export interface PacketExpression {
  readonly type: KeyType;
  readonly read: Reader;
  /** Set if the value is a port of the packet, which a kernel may have chosen. */
  readonly isPort?: true;
}

/** Creates an expression whose value is unknown. */
export function createUndecidedExpression(reason: string, type: KeyType): PacketExpression {
  const reading: Reading = { kind: "undecided", reason };
  return { type, read: () => reading };
}
