import type { Family } from "../../datapath/address.ts";
import type { NexthopSnapshot, RouteSnapshot, RuleSnapshot } from "../snapshot.ts";

/** Key of a route lookup (struct flowi4, flowi6). */
export interface RouteQuery {
  readonly family: Family;
  readonly destination: string;
  /** Undefined before the kernel has selected a source. */
  readonly source?: string | undefined;
  readonly mark: number;
  /** Incoming link; `lo` for packets that this namespace sends, and for checks of a source. */
  readonly inLink: string;
  /** If defined, only routes by this link are used. */
  readonly outLink?: string | undefined;
  readonly protocol?: string | undefined;
  readonly sourcePort?: number | undefined;
  readonly destinationPort?: number | undefined;
}

export type RouteResult =
  | {
      readonly kind: "route";
      readonly route: RouteSnapshot;
      /** Next hops that can be used, at least one. */
      readonly nexthops: readonly NexthopSnapshot[];
      readonly rule: RuleSnapshot;
    }
  /** A blackhole, unreachable or prohibit route or rule. */
  | { readonly kind: "reject"; readonly type: "blackhole" | "unreachable" | "prohibit"; readonly text: string }
  | { readonly kind: "none" }
  /** A rule that could match has a selector that the model does not know. */
  | { readonly kind: "unknown"; readonly text: string };
