import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import type { Image } from "../../clusters/images/archive.ts";
import type { Progress } from "../../clusters/progress/progress.ts";
import type { PodType } from "../../results/schema.ts";
import type { KnownSkip } from "./known-skips.ts";
import type { PeerRun, PeerSuiteName } from "./spec-result.ts";

/** How a suite is run once, when every new pod is of one type. */
export interface PeerRunOptions {
  readonly kubeconfig: string;
  readonly podType: PodType;
  /** Regular expression for the specs' full names. */
  readonly focus: string;
  /** Specs that are not run, each with its reason. */
  readonly known: readonly KnownSkip[];
  /** Number of specs that run at the same time, if the suite can do that. */
  readonly processes: number;
  /** Number of worker nodes. */
  readonly workers: number;
  /** Directory for the suite's own output. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** A suite whose programs and images are built. */
export interface PreparedSuite {
  /** Images of its pods. */
  readonly images: readonly Image[];
  readonly kubectl: string;
  /** Creates pods that are overlay pods in a run with underlay pods; absent: every pod is of the type of the run. */
  readonly createOverlayPods?: (options: Pick<PeerRunOptions, "kubeconfig" | "signal">) => Promise<void>;
  /** Runs the specs. Failed specs are results; throws if the suite left no results. */
  run(options: PeerRunOptions): Promise<PeerRun>;
  /** Waits until the suite's namespaces are deleted, whose pods hold addresses. */
  waitForCleanup(kubectl: Kubectl): Promise<void>;
}

/** A suite of another project. */
export interface PeerSuite {
  readonly name: PeerSuiteName;
  /** Pod types that it can test. */
  readonly podTypes: readonly PodType[];
  /** Selects the specs that run unless others are asked for. */
  readonly focus: string;
  /** Builds programs and images, which stay in the cache. */
  prepare(kubernetes: string, progress: Progress): Promise<PreparedSuite>;
}

/** Prefix of a command that ends when this process is killed. */
export const END_WITH_PARENT = ["setpriv", "--pdeathsig", "TERM", "--"] as const;
