import type { ProviderName } from "../provider-name.ts";
import type { EnvironmentSpec } from "./environment-spec.ts";

/** A cluster configuration that differs from the suite's own, as real clusters do. One file defines one environment. */
export interface Environment {
  /** Name for `--environment`, unique in the registry: at most 28 lower case letters, digits and hyphens. */
  readonly name: string;
  /** Title for reports, like "kube-proxy without clusterCIDR". */
  readonly title: string;
  /** Which real clusters are configured like this. */
  readonly realClusters: string;
  /** What differs from the suite's own cluster, in one sentence. */
  readonly changes: string;
  /** Settings that the providers apply. */
  readonly spec: EnvironmentSpec;
  /** Providers that can make it. */
  readonly providers: readonly Exclude<ProviderName, "existing">[];
  /** Families to run, where the environment makes a difference for IPv6. Default: what `--family` says. */
  readonly families?: "dual";
  /** Kernel features that the environment needs; without them it is skipped with the reason. */
  readonly requires?: readonly KernelRequirement[];
  /** What cannot work there. */
  readonly impossible: readonly ImpossibleCells[];
  /** Cells that are not asked, because the cluster's own settings leave the outcome to chance. */
  readonly undecided?: UndecidedCells;
}

/** Cells that pass or fail at random in an environment. */
export interface UndecidedCells {
  /** Selects the cells that are not asked. */
  readonly cells: (cell: EnvironmentCell) => boolean;
  /** What decides at random, in one sentence without a full stop. */
  readonly reason: string;
}

/** A link type that the kernel must be able to make. */
export interface KernelRequirement {
  /** Type for `ip link add type TYPE`, like `wireguard`. */
  readonly linkType: string;
}

/** Cells that no datapath can make pass in an environment, and the condition by which NodeState says so. */
interface ImpossibleCells {
  /** Selects the cells that must be blocked. */
  readonly cells: (cell: EnvironmentCell) => boolean;
  /** Why they cannot work, in one sentence without a full stop. */
  readonly reason: string;
  /** Condition of NodeState that must be False, with its reason, on every node. */
  readonly condition: { readonly type: string; readonly reason: string };
}

/** Properties of a matrix cell that an environment may read. */
export interface EnvironmentCell {
  readonly id: string;
  readonly group: string;
  readonly source: string;
  readonly target: string;
  /** `node`: the node whose NodePort is asked. */
  readonly to: { readonly kind: string; readonly node?: number | string };
  /** Where the packets end, with the index of the worker. */
  readonly reaches: { readonly node: number | undefined } | undefined;
  readonly placement: string;
  readonly protocol: string;
  readonly family: string;
}
