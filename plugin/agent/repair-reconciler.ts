import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { completeTeardowns } from "../cni/del.ts";
import type { Paths } from "../cni/plugin-paths.ts";
import type { AgentMetrics } from "./status/agent-metrics.ts";
import { writeLog } from "./status/agent-log.ts";
import { BUSY_MS, type RepairScope, repairAttachments } from "./reconcile/repair.ts";
import { removeGuardsWithoutPair } from "./reconcile/guard-drops.ts";
import { readTcpBeLiberal } from "./reconcile/return-path.ts";
import type { AgentStatus } from "./status/agent-status.ts";

/**
 * Period of passes that find changes without a kernel event (sysctls, nftables in pods): at least `least` milliseconds, and
 * `share` times the processor time of a pass, which is a hundredth of a core.
 */
const REPAIR_MS = { least: 900, share: 100 } as const;
/** Period of full passes without an event, in milliseconds; longer passes have the same limit of processor time. */
const REPAIR_ALL_MS = 10_000;
/** Delay of a pass after an event; longer if passes take long, so that starting pods get most of the processor. */
const REPAIR_SOON_MS = { least: 100, share: 3 } as const;

type Wake = (loop: "facts" | "repair" | "returnPath" | "status") => void;

/** Repairs drift of attached pods, as often as the processor time of a pass allows. */
export class RepairReconciler {
  readonly #state: AgentStatus;
  readonly #paths: Paths;
  readonly #metrics: AgentMetrics;
  readonly #wake: Wake;
  /** CPU time of the last pass of each scope, in milliseconds. */
  readonly #passMs: Record<RepairScope, number> = { all: 0, silent: 0 };
  /** Latest time of the next full pass, by performance.now(). */
  #fullPassAt = 0;

  constructor(state: AgentStatus, paths: Paths, metrics: AgentMetrics, wake: Wake) {
    this.#state = state;
    this.#paths = paths;
    this.#metrics = metrics;
    this.#wake = wake;
  }

  getPeriod(): number {
    return Math.max(REPAIR_MS.least, REPAIR_MS.share * this.#passMs.silent);
  }

  getDebounce(): number {
    return Math.max(REPAIR_SOON_MS.least, REPAIR_SOON_MS.share * this.#passMs.all);
  }

  /** Requests a pass over all items. */
  requestFullPass(): void {
    this.#fullPassAt = 0;
    this.#wake("repair");
  }

  async reconcile(): Promise<void> {
    const [started, before] = [performance.now(), process.cpuUsage()];
    const scope: RepairScope = performance.now() >= this.#fullPassAt ? "all" : "silent";
    if (scope === "all") this.#fullPassAt = Number.POSITIVE_INFINITY; // an event in the meantime sets it again
    const report = await repairAttachments(this.#state.facts, this.#paths.state, scope);
    // Processor time, not elapsed time: a busy node must not make passes rarer than necessary.
    const { user, system } = process.cpuUsage(before);
    this.#passMs[scope] = (user + system) / 1000;
    if (scope === "all") {
      // Items that could not be restored are tried again at once; only a full pass finds them.
      const next = report.failed.length > 0 ? 0 : Math.max(REPAIR_ALL_MS, REPAIR_MS.share * this.#passMs.all);
      this.#fullPassAt = Math.min(this.#fullPassAt, performance.now() + next);
    }
    this.#metrics.recordRepairPass(scope, (performance.now() - started) / 1000);
    for (const item of report.repaired) writeLog("warn", "repaired", { what: item });
    for (const attachment of report.removed)
      writeLog("info", "removed what was left of a pod that is gone", { what: attachment });
    this.#metrics.countRepairs(report.repaired);
    const reportChanged = !isDeepStrictEqual(report, this.#state.repair);
    this.#state.repair = report;
    if (!existsSync(this.#paths.facts)) this.#wake("facts");
    // No kernel event reports a change of this sysctl.
    if (readTcpBeLiberal() !== this.#state.tcpBeLiberal) this.#wake("returnPath");
    if (report.busy > 0)
      setTimeout(() => {
        this.requestFullPass();
      }, BUSY_MS).unref();
    if (reportChanged) this.#wake("status");
    await completeTeardowns(this.#paths.state);
    if (scope === "all") removeGuardsWithoutPair();
  }
}
