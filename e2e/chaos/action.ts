import type { ChaosContext } from "./chaos-context.ts";

/** A fault or change that a cluster must survive. `act` returns what it did. */
export interface ChaosAction {
  readonly name: string;
  /** Whether the action is possible in the cluster. */
  readonly fits?: (context: ChaosContext) => boolean;
  readonly act: (context: ChaosContext) => Promise<string>;
}

/** An action after which the invariants held again. */
export interface ActionResult {
  readonly name: string;
  /** Description of its targets. */
  readonly what: string;
  /** Milliseconds from the action until the invariants held again. */
  readonly wellAfterMs: number;
}
