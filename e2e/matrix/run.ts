import type { CellResult } from "../../results/schema.ts";
import type { Deployment } from "../pods/deploy.ts";
import { type ProbeAnswer, TOKENS, tokenOf } from "../probe/protocol.ts";
import { type Cell, EXTERNAL } from "./cells.ts";
import type { Variant, Verdict } from "./gate.ts";
import { verdictFor } from "./verdict.ts";

export interface RunOptions {
  /** What a cell gets that should pass. */
  readonly passTimeoutMs: number;
  /** What a cell gets that should be blocked: it takes all of it. */
  readonly blockedTimeoutMs: number;
  /** Probes under way at once. */
  readonly parallel: number;
  /** How often a cell that should pass may be asked; more than one attempt is recorded. */
  readonly attempts: number;
  /** Token of the first cell; the others follow. See `takeTokens`. */
  readonly firstToken: number;
  /** Called whenever another cell has its result. */
  readonly onDone?: (done: number, of: number) => void;
}

export const DEFAULT_RUN: RunOptions = {
  passTimeoutMs: 2000,
  blockedTimeoutMs: 1500,
  parallel: 48,
  attempts: 2,
  firstToken: 0,
};

/** Probes every cell, many at once. Never throws for a cell: what went wrong is the cell's result. */
export async function runCells(
  cells: readonly Cell[],
  variant: Variant,
  deployment: Deployment,
  options: RunOptions = DEFAULT_RUN,
): Promise<CellResult[]> {
  // The slow ones first: those that should be blocked take their whole timeout.
  const queue = cells
    .map((cell, index) => ({ cell, index, verdict: verdictFor(variant, cell) }))
    .sort((a, b) => Number(b.verdict.expected === "blocked") - Number(a.verdict.expected === "blocked"));
  const results: CellResult[] = new Array<CellResult>(cells.length);
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      results[next.index] = await runCell(
        next.cell,
        next.verdict,
        tokenOf(options.firstToken + next.index),
        deployment,
        options,
      );
      options.onDone?.(++done, cells.length);
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, worker));
  return results;
}

let nextToken = Math.floor(Math.random() * TOKENS);
/** That many new ones: a kernel still sends what an earlier run's connections had left, and that is not to be mixed up. */
export function takeTokens(count: number): number {
  const first = nextToken;
  nextToken += count;
  return first;
}

async function runCell(
  cell: Cell,
  verdict: Verdict,
  token: string,
  deployment: Deployment,
  options: RunOptions,
): Promise<CellResult> {
  const { address, port } = deployment.locate(cell);
  const prober = await deployment.prober(cell.from);
  const blocked = verdict.expected === "blocked";
  const allowed = blocked ? 1 : options.attempts;
  let attempts = 0;
  let answer: ProbeAnswer;
  let wrong: string | undefined;
  do {
    attempts += 1;
    answer = await prober.probe({
      protocol: cell.protocol,
      address,
      port,
      token,
      timeoutMs: blocked ? options.blockedTimeoutMs : options.passTimeoutMs,
      connectOnly: cell.to.kind === "api-server",
    });
    wrong = answer.ok ? wrongAnswer(cell, answer, deployment) : answer.error;
  } while (!answer.ok && attempts < allowed);
  const actual = answer.ok && wrong === undefined ? "pass" : "fail";
  // An answer from the wrong pod, or to the wrong address, is no blocked cell: somebody answered.
  const ok = blocked ? !answer.ok : actual === "pass";
  return {
    id: cell.id,
    source: cell.source,
    target: cell.target,
    group: cell.group,
    from: cell.from,
    to: "pod" in cell.to ? cell.to.pod : (cell.server ?? cell.to.kind),
    address: port === 0 ? address : cell.family === "ipv6" ? `[${address}]:${port}` : `${address}:${port}`,
    placement: cell.placement,
    family: cell.family,
    protocol: cell.protocol,
    expected: verdict.expected,
    actual,
    ok,
    latencyMs: answer.latencyMs,
    attempts,
    ...(answer.seen === undefined ? {} : { seen: answer.seen }),
    ...reasonOf(verdict, ok, wrong),
  };
}

function reasonOf(verdict: Verdict, ok: boolean, wrong: string | undefined): { reason?: string } {
  if (verdict.expected === "blocked")
    return {
      reason: ok ? `${verdict.reason}; ${wrong ?? ""}` : `should be blocked, but was answered: ${verdict.reason}`,
    };
  return wrong === undefined ? {} : { reason: wrong };
}

function wrongAnswer(cell: Cell, answer: ProbeAnswer, deployment: Deployment): string | undefined {
  const server = cell.server === EXTERNAL ? deployment.externalName : cell.server;
  if (server !== undefined && answer.server !== server)
    return `answered by ${answer.server ?? "nobody with a name"}, expected ${server}`;
  if (cell.keepsSource === undefined) return undefined;
  const source = deployment.addressOf(cell.keepsSource.endpoint, cell.keepsSource.nic, cell.family);
  return answer.seen === source
    ? undefined
    : `the server saw ${answer.seen ?? "nothing"}, expected the source ${source}`;
}
