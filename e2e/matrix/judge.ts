import type { CellResult } from "../../results/schema.ts";
import type { ProbeAnswer } from "../probe/protocol.ts";
import { type Cell, gated } from "./cells.ts";
import { gate, type Variant } from "./gate.ts";

/** Compares what a probe saw with what the gate says. Pure. */
export function judge(variant: Variant, cell: Cell, answer: ProbeAnswer): CellResult {
  const verdict = gate(variant, gated(cell));
  const problem = problemOf(cell, answer);
  const actual = problem === undefined ? "pass" : "fail";
  const ok = (verdict.expected === "pass") === (actual === "pass");
  const reason = reasonFor(verdict, problem, ok);
  return {
    source: cell.source,
    target: cell.target,
    group: cell.group,
    address: cell.protocol === "icmp" ? cell.address : `${cell.address}:${cell.port}`,
    placement: cell.placement,
    family: cell.family,
    protocol: cell.protocol,
    expected: verdict.expected,
    actual,
    ok,
    latencyMs: answer.latencyMs,
    ...(reason === undefined ? {} : { reason: `${cell.from} -> ${cell.what}: ${reason}` }),
  };
}

function reasonFor(verdict: ReturnType<typeof gate>, problem: string | undefined, ok: boolean): string | undefined {
  if (verdict.expected === "blocked") return ok ? verdict.reason : `answered, though ${verdict.reason}`;
  return problem;
}

function problemOf(cell: Cell, answer: ProbeAnswer): string | undefined {
  if (!answer.ok) return answer.error ?? "no answer";
  if (cell.answeredBy !== undefined && answer.server !== cell.answeredBy)
    return `answered by ${answer.server ?? "nobody"}, not by ${cell.answeredBy}`;
  if (cell.seenAs !== undefined && answer.seen !== undefined && answer.seen !== cell.seenAs)
    return `the server saw ${answer.seen}, not ${cell.seenAs}: the source address was not kept`;
  return undefined;
}
