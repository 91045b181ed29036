import type { PlanItem } from "../datapath/plan-item.ts";
import type { Paths } from "./plugin-paths.ts";
import type { Request } from "./request.ts";

/**
 * Process that executes a call: the plugin's own ("standalone") or the agent's. A call must not wait in the agent, which has other
 * work: instead it throws RunStandaloneError before any change, and the plugin's own process runs it.
 */
export type ExecMode = "standalone" | "agent";
/** Thrown in the agent for a call that the launcher must run standalone. */
export class RunStandaloneError extends Error {}

/** One call of the plugin, with its paths and callbacks. */
export interface CniCall {
  readonly request: Request;
  readonly paths: Paths;
  readonly mode: ExecMode;
  /** Records the time since the previous step, for the log. */
  readonly markStep: (step: string) => void;
  /** Current limitations of this node, for the call's log entry. */
  readonly notices: string[];
  /** Runs work after the response is sent. */
  readonly defer: (work: () => void) => void;
  /** Called before each plan item; an error that it throws fails the item (for tests). */
  readonly beforeStep?: (item: PlanItem, index: number) => void;
}
