import type { ProviderName } from "./provider-name.ts";
import type { EnvironmentSpec } from "./environment-spec.ts";

/** A cluster configuration other than the suite's default, as real clusters have it. */
export interface Environment {
  /** Name for `--environment`, unique in the registry: at most 28 lower case letters, digits and hyphens. */
  readonly name: string;
  /** Title for reports, like "kube-proxy without clusterCIDR". */
  readonly title: string;
  /** Which real clusters are configured like this. */
  readonly realClusters: string;
  /** Difference from the suite's default cluster, in one sentence. */
  readonly changes: string;
  /** Settings that the providers apply. */
  readonly spec: EnvironmentSpec;
  /** Providers that support the environment. */
  readonly providers: readonly Exclude<ProviderName, "existing">[];
  /** Families of the run, if the environment affects IPv6. Default: that of `--family`. */
  readonly families?: "dual";
  /** Required kernel features. Without them, the environment is skipped with the reason. */
  readonly requires?: readonly KernelRequirement[];
  /** Cells that cannot pass. */
  readonly impossible?: readonly ImpossibleCells[];
  /** Cells that are skipped, because their result is random. */
  readonly undecided?: UndecidedCells;
}

/** Cells that pass or fail at random in an environment. */
export interface UndecidedCells {
  /** Whether a cell is skipped. */
  readonly cells: (cell: EnvironmentCell) => boolean;
  /** Cause of the random result, in one sentence without a full stop. */
  readonly reason: string;
}

/** A link type that the kernel must support. */
export interface KernelRequirement {
  /** Type for `ip link add type TYPE`, like `wireguard`. */
  readonly linkType: string;
}

/** Cells that no datapath can make pass, and the condition with which NodeState reports this. */
interface ImpossibleCells {
  /** Whether a cell must be blocked. */
  readonly cells: (cell: EnvironmentCell) => boolean;
  /** Why the cells cannot pass, in one sentence without a full stop. */
  readonly reason: string;
  /** Condition of NodeState that must be False with this reason on every node. */
  readonly condition: { readonly type: string; readonly reason: string };
}

/** Properties of a matrix cell that an environment can use. */
interface EnvironmentCell {
  readonly group: string;
  /** `node`: the node whose NodePort is the target. */
  readonly to: { readonly kind: string; readonly node?: number | string };
  /** Destination of the packets, with the index of the worker. */
  readonly reaches: { readonly node: number | undefined } | undefined;
  readonly placement: string;
  readonly family: string;
}
