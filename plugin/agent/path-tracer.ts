import { getErrorMessage } from "../errors/error-message.ts";
import { selectServices } from "../kubernetes/select-services.ts";
import { collectNode } from "../trace/collect/collect-node.ts";
import { mergeSnapshots } from "../trace/collect/merge-snapshots.ts";
import { checkPaths } from "../trace/paths/trace-paths.ts";
import type { ClusterCache } from "./discovery/cluster-cache.ts";
import type { AgentStatus } from "./status/agent-status.ts";
import { Loop } from "./loop.ts";
import { describePaths, type PathsState } from "./paths/describe-paths.ts";
import { readProcessorTime } from "./processor-time.ts";

/** Time between two passes: at least `least` milliseconds, and at least the processor time of a pass times `share`. */
const PERIOD = {
  /** At most 0.16 % of a processor, so that ten minutes with a pass at each end stay below 0.2 %. */
  passing: { least: 60_000, share: 625 },
  /** At most 2 % of a processor: while a path fails, passes are more frequent, so that its recovery is noticed. */
  failing: { least: 10_000, share: 50 },
} as const;

/** Parts of a pass that a test replaces. */
export interface PathTracerParts {
  readonly collect: typeof collectNode;
  /** Processor time of this process and of the programs that it has run, in milliseconds. */
  readonly readTime: () => number;
}

/**
 * Traces paths of this node's pods: to a pod of each type on this node, to the API server and to DNS. The number of passes is
 * limited by their processor time, which grows with the pods and rules of the node.
 */
export class PathTracer {
  readonly #node: string;
  readonly #cache: Pick<ClusterCache, "pods" | "services">;
  readonly #state: Pick<AgentStatus, "paths" | "pathsProcessorMs" | "services">;
  readonly #changed: () => void;
  readonly #parts: PathTracerParts;
  /** Processor time of the last pass, in milliseconds. */
  #lastPassMs = 0;

  /** @param changed called when a pass has changed the condition */
  constructor(
    node: string,
    cache: Pick<ClusterCache, "pods" | "services">,
    state: Pick<AgentStatus, "paths" | "pathsProcessorMs" | "services">,
    changed: () => void,
    parts: PathTracerParts = { collect: collectNode, readTime: readProcessorTime },
  ) {
    this.#node = node;
    this.#cache = cache;
    this.#state = state;
    this.#changed = changed;
    this.#parts = parts;
  }

  /** Creates the loop of the passes. */
  createLoop(): Loop {
    return new Loop({ name: "paths", period: () => this.getPeriod(), debounce: 0 }, () => this.updatePaths());
  }

  getPeriod(): number {
    const { least, share } = this.#state.paths.status === "True" ? PERIOD.passing : PERIOD.failing;
    return Math.max(least, share * this.#lastPassMs);
  }

  async updatePaths(): Promise<void> {
    const timeBefore = this.#parts.readTime();
    const { paths } = this.#state;
    this.#state.paths = await this.#tracePaths().catch((error: unknown) => ({
      status: "Unknown" as const,
      reason: "NotRead",
      message: `The state of this node's kernel cannot be read: ${getErrorMessage(error)}`,
    }));
    this.#lastPassMs = this.#parts.readTime() - timeBefore;
    this.#state.pathsProcessorMs += this.#lastPassMs;
    if (JSON.stringify(paths) !== JSON.stringify(this.#state.paths)) this.#changed();
  }

  async #tracePaths(): Promise<PathsState> {
    const pods = this.#cache.pods
      .values()
      .filter(({ status }) => status.phase === "Running")
      .map(({ metadata, status }) => ({
        name: `${metadata.namespace ?? ""}/${metadata.name}`,
        addresses: status.podIPs.map(({ ip }) => ip),
      }));
    const snapshot = mergeSnapshots([await this.#parts.collect(this.#node)], pods);
    // Without kube-proxy's rules the condition ServicesReady reports the problem.
    const services = this.#state.services.ready ? selectServices(this.#cache.services.values(), 0) : [];
    return describePaths(checkPaths(snapshot, { services, isPodChosen: (name) => name.includes("/") }));
  }
}
