import { getErrorMessage } from "../errors/error-message.ts";
import { writeLog } from "./status/agent-log.ts";
import { GuardDrops, readNodeGuardCounts } from "./reconcile/guard-drops.ts";
import { applyReturnPath, readTcpBeLiberal } from "./reconcile/return-path.ts";
import { raiseNeighbourLimits } from "./reconcile/neighbour-limits.ts";
import { readNodeTableCounters } from "./reconcile/apply-node-table.ts";
import { relaxRpFilter } from "./reconcile/rp-filter.ts";
import type { AgentStatus } from "./status/agent-status.ts";

/** Applies the return path, rp_filter and neighbour limits of the node, and reads the rules' counters. */
export class ReturnPathReconciler {
  readonly #state: AgentStatus;
  readonly #changed: () => void;
  readonly #guardDrops = new GuardDrops();

  /** @param changed called when a pass has changed the state of the return path */
  constructor(state: AgentStatus, changed: () => void) {
    this.#state = state;
    this.#changed = changed;
  }

  reconcile(): void {
    const state = this.#state;
    const before = JSON.stringify([state.returnPathError, state.tcpBeLiberal, state.facts?.returnPath]);
    if (state.facts === undefined) state.returnPathError = "The facts are not complete.";
    else
      try {
        for (const line of [...applyReturnPath(state.facts), ...relaxRpFilter(state.facts), ...raiseNeighbourLimits()])
          writeLog("info", "return path", { what: line });
        state.returnPathError = undefined;
      } catch (error) {
        state.returnPathError = getErrorMessage(error);
      }
    state.ruleCounters = new Map([...readNodeTableCounters(), ...this.#guardDrops.add(readNodeGuardCounts())]);
    state.tcpBeLiberal = readTcpBeLiberal();
    if (JSON.stringify([state.returnPathError, state.tcpBeLiberal, state.facts?.returnPath]) !== before)
      this.#changed();
  }
}
