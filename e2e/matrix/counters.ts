import type { CellResult } from "../../results/schema.ts";
import type { NodeFilter } from "./variant.ts";

/** What a blocked cell was blocked by, as the kernel counted it. */
interface CounterEvidence {
  readonly node: string;
  readonly rule: string;
  readonly before: number;
  readonly after: number;
}

/**
 * A cell that the INVALID rule should block is right only if that rule's counter has risen on the asking pod's node: a
 * cell that fails for another reason is no proof of the gate. nftables mode has no counter to look at.
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
