import type { CellResult } from "../../results/schema.ts";
import type { NodeFilter } from "./variant.ts";

/** Counter of the rule that blocked a cell. */
interface CounterEvidence {
  readonly node: string;
  readonly rule: string;
  readonly before: number;
  readonly after: number;
}

/**
 * Checks the counters of blocked cells. A cell that the INVALID rule should block is right only if the rule's counter has risen on
 * the client's node: otherwise it failed for another reason. nftables mode has no counter.
 */
export function withCounters(
  cells: readonly CellResult[],
  blocked: ReadonlySet<string>,
  nodeOf: (from: string) => string | undefined,
  before: readonly NodeFilter[],
  after: readonly NodeFilter[],
): CellResult[] {
  return cells.map((cell) => {
    if (!blocked.has(cell.id)) return cell;
    const node = nodeOf(cell.from) ?? "";
    const was = before.find((filter) => filter.node === node)?.invalidDrop[cell.family];
    const is = after.find((filter) => filter.node === node)?.invalidDrop[cell.family];
    if (is?.packets === undefined) return cell;
    const evidence: CounterEvidence = { node, rule: is.rule, before: was?.packets ?? 0, after: is.packets };
    const rose = evidence.after > evidence.before;
    const counted = `${evidence.after - evidence.before} packets dropped on ${node}`;
    return {
      ...cell,
      evidence: { ...cell.evidence, counter: evidence },
      ok: cell.ok && rose,
      reason: rose
        ? `${cell.reason ?? ""}; ${counted}`
        : `the counter of ${is.rule} on ${node} has not risen: something else stops it`,
    };
  });
}
