import type { PlanItem } from "../datapath/plan/plan.ts";
import type { Paths } from "./paths.ts";
import type { Request } from "./request.ts";

/**
 * Which way a call took: the plugin's own process, or the agent, whose process does other work as well: there nothing
 * may wait. What would throws NotServedError before anything was changed, and the plugin does it alone.
 */
export type ExecMode = "alone" | "agent";
export class RunStandaloneError extends Error {}

/** One call of the plugin: what was asked, where things lie, and who listens. */
export interface CniCall {
  readonly request: Request;
  readonly paths: Paths;
  readonly mode: ExecMode;
  /** Names the time since the last one, for the log. */
  readonly markStep: (step: string) => void;
  /** What the call writes to its log: what does not work on this node now. */
  readonly notices: string[];
  /** Does something when the answer is out: what nobody waits for. */
  readonly defer: (work: () => void) => void;
  /** Called before each step of a plan; what it throws is that step's failure. Tests use it. */
  readonly beforeStep?: (item: PlanItem, index: number) => void;
}
