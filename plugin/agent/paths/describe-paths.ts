import type { FailedPath, PathReport } from "../../trace/paths/trace-paths.ts";
import { isPolicyRule } from "../../trace/paths/policy-rule.ts";
import { findRemedy } from "../../trace/tell/find-remedy.ts";

/** Condition PathsReady without its time. */
export interface PathsState {
  readonly status: "True" | "False" | "Unknown";
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/**
 * Describes traced paths as a condition. A path that a network policy denies does not count as failed. `True` means that no
 * traced path drops a packet, not that every rule could be evaluated.
 */
export function describePaths({ count, failed }: PathReport): PathsState {
  const undecided = failed.filter(({ failure }) => failure.verdict === "unknown");
  const lost = failed.filter(({ failure }) => failure.verdict !== "unknown" && !isPolicyRule(failure.rule));
  const [first] = lost;
  if (first !== undefined)
    return {
      status: "False",
      reason: "PacketsLost",
      message:
        `${describePath(first)} fails: ${first.failure.text}.${describeRest(lost)} ${findRemedy(first.failure) ?? ""}`.trim(),
    };
  const [undecidedPath] = undecided;
  if (undecidedPath !== undefined && undecided.length === count)
    return {
      status: "Unknown",
      reason: "NotDecided",
      message: `No path can be decided: ${undecidedPath.failure.text}.`,
    };
  const note =
    undecidedPath === undefined ? "" : `, ${undecided.length} of them cannot be decided: ${undecidedPath.failure.text}`;
  return { status: "True", reason: "Traced", message: `${count} paths of pods of this node were traced${note}.` };
}

function describePath({ source, target, request }: FailedPath): string {
  const targetName = target.kind === "service" ? `Service ${target.service.name}` : target.endpoint.namespace.name;
  return `${request.protocol} from ${source.namespace.name} to ${targetName} (${request.destination})`;
}

function describeRest(lost: readonly FailedPath[]): string {
  return lost.length === 1 ? "" : ` ${lost.length - 1} other paths fail too.`;
}
