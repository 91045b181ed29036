import type { PlanItem } from "../datapath/plan.ts";
import type { Places } from "./options.ts";
import type { Request } from "./request.ts";

/** One call of the plugin: what was asked, where things lie, and who listens. */
export interface Call {
  readonly request: Request;
  readonly places: Places;
  /** Names the time since the last one, for the log. */
  readonly lap: (step: string) => void;
  /** Called before each step of a plan; what it throws is that step's failure. Tests use it. */
  readonly beforeStep: (item: PlanItem, index: number) => void;
}
