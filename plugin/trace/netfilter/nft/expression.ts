import type { Packet } from "../../packet.ts";
import type { StatementContext } from "../model/ruleset.ts";
import type { KeyType } from "./value-matcher.ts";
import type { Reading } from "./value.ts";

/** Reads the value of an expression from a packet. */
export type Reader = (packet: Packet, context: StatementContext) => Reading;

/** An expression that reads something. */
export interface PacketExpression {
  readonly type: KeyType;
  readonly read: Reader;
  /** The value is a port of the packet, which a kernel may have chosen. */
  readonly isPort?: true;
}

/** Makes an expression that nothing decides. */
export function createUndecidedExpression(reason: string, type: KeyType): PacketExpression {
  const reading: Reading = { kind: "undecided", reason };
  return { type, read: () => reading };
}
