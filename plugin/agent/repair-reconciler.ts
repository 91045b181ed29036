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
 * Changes without a kernel event (sysctls, nftables in pods) are found by polling: every second, or less often where that would
 * take more than a hundredth of a core. Milliseconds.
 */
const REPAIR_MS = { least: 900, share: 100 } as const;
/** Period of full passes without an event, in milliseconds; longer under the same limit of processor time. */
const REPAIR_ALL_MS = 10_000;
/** Delay of a pass after an event; longer if passes take long, so that starting pods get most of the processor. */
const REPAIR_SOON_MS = { least: 100, share: 3 } as const;

type Wake = (loop: "facts" | "repair" | "returnPath" | "status") => void;

/** Repairs drift of attached pods, rate-limited by the cost of a pass. */
export class RepairReconciler {
  readonly #state: AgentStatus;
  readonly #places: Paths;
  readonly #metrics: AgentMetrics;
  readonly #wake: Wake;
  /** CPU time of the last pass of each scope, in milliseconds. */
  readonly #took: Record<RepairScope, number> = { all: 0, silent: 0 };
  /** Latest time of the next full pass, by performance.now(). */
  #allAt = 0;

  constructor(state: AgentStatus, paths: Paths, metrics: AgentMetrics, wake: Wake) {
    this.#state = state;
    this.#places = paths;
    this.#metrics = metrics;
    this.#wake = wake;
  }

  getPeriod(): number {
    return Math.max(REPAIR_MS.least, REPAIR_MS.share * this.#took.silent);
  }

  getDebounce(): number {
    return Math.max(REPAIR_SOON_MS.least, REPAIR_SOON_MS.share * this.#took.all);
  }

  /** Soon, and at everything. */
  requestFullPass(): void {
    this.#allAt = 0;
    this.#wake("repair");
  }

  async reconcile(): Promise<void> {
    const [started, before] = [performance.now(), process.cpuUsage()];
    const look: RepairScope = performance.now() >= this.#allAt ? "all" : "silent";
    if (look === "all") this.#allAt = Number.POSITIVE_INFINITY; // an event in the meantime sets it again
    const report = await repairAttachments(this.#state.facts, this.#places.state, look);
    // By the processor's time: a busy node must not make it look less often than it may.
    const { user, system } = process.cpuUsage(before);
    this.#took[look] = (user + system) / 1000;
    if (look === "all") {
      // Items that could not be restored are tried again at once; only a full pass finds them.
      const next = report.failed.length > 0 ? 0 : Math.max(REPAIR_ALL_MS, REPAIR_MS.share * this.#took.all);
      this.#allAt = Math.min(this.#allAt, performance.now() + next);
    }
    this.#metrics.recordRepairPass(look, (performance.now() - started) / 1000);
    for (const what of report.repaired) writeLog("warn", "repaired", { what });
    for (const what of report.removed) writeLog("info", "removed what was left of a pod that is gone", { what });
    this.#metrics.countRepairs(report.repaired);
    const isNews = !isDeepStrictEqual(report, this.#state.repair);
    this.#state.repair = report;
    if (!existsSync(this.#places.facts)) this.#wake("facts");
    // No kernel event reports it.
    if (readTcpBeLiberal() !== this.#state.tcpBeLiberal) this.#wake("returnPath");
    if (report.busy > 0)
      setTimeout(() => {
        this.requestFullPass();
      }, BUSY_MS).unref();
    if (isNews) this.#wake("status");
    await completeTeardowns(this.#places.state);
    if (look === "all") removeGuardsWithoutPair();
  }
}
