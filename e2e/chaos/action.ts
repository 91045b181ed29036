import type { ChaosContext } from "./context.ts";

/** Something that happens to clusters. Says what it did. */
export interface ChaosAction {
  readonly name: string;
  /** Whether it can be done there. */
  readonly fits?: (world: ChaosContext) => boolean;
  readonly act: (world: ChaosContext) => Promise<string>;
}

/** An action that was done, and after which all was well again. */
export interface ActionResult {
  readonly name: string;
  /** To what or whom. */
  readonly what: string;
  readonly wellAfterMs: number;
}
