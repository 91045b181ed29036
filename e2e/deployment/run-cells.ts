import { currentSignal } from "../harness.ts";
import type { CellResult } from "../../results/schema.ts";
import type { Deployment } from "./deploy.ts";
import { type ProbeAnswer, TOKENS, formatToken } from "../probe/protocol.ts";
import { runAttack } from "./attack.ts";
import { type Cell, EXTERNAL } from "../cells/cell.ts";
import { expectedSource } from "../cells/expected-source.ts";
import type { Variant, Verdict } from "../cells/gate.ts";
import { getNetworkSettings, getUnknownSettings } from "../cells/network-settings.ts";
import { decideVerdict } from "../cells/cell-verdict.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";

interface RunOptions {
  /** Timeout of a cell that should pass. */
  readonly passTimeoutMs: number;
  /** Timeout of a cell that should be blocked, which always takes the whole time. */
  readonly blockedTimeoutMs: number;
  /** Number of probes at the same time. */
  readonly parallel: number;
  /** Maximum attempts for a cell that should pass; more than one attempt is recorded. */
  readonly attempts: number;
  /** Token of the first cell, from `reserveTokens`; the others follow. Undefined: new tokens. */
  readonly firstToken?: number;
  /** Called whenever another cell has its result. */
  readonly onDone?: (done: number, total: number) => void;
}

export const DEFAULT_RUN: RunOptions = {
  passTimeoutMs: 2000,
  blockedTimeoutMs: 1500,
  parallel: 48,
  attempts: 2,
};

/** Probes every cell, many at once. Never throws for a cell: the error is in the cell's result. */
export async function runCells(
  cells: readonly Cell[],
  variant: Variant,
  deployment: Deployment,
  options: RunOptions = DEFAULT_RUN,
): Promise<CellResult[]> {
  // Cells that should be blocked first: they take their whole timeout.
  const queue = cells
    .map((cell, index) => ({ cell, index, verdict: decideVerdict(variant, cell) }))
    .sort((a, b) => Number(b.verdict.expected === "blocked") - Number(a.verdict.expected === "blocked"));
  const results: CellResult[] = new Array<CellResult>(cells.length);
  // A server remembers received tokens: with an old token a dropped attack would count as arrived.
  const firstToken = options.firstToken ?? reserveTokens(cells.length);
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const token = formatToken(firstToken + next.index);
      const { cell, verdict } = next;
      const pendingResult =
        cell.attack === undefined
          ? runCell(cell, verdict, token, variant, deployment, options)
          : runAttackCell(cell, verdict, token, deployment);
      results[next.index] = await pendingResult.catch((error: unknown) => {
        currentSignal().throwIfAborted();
        return failCell(cell, verdict, error);
      });
      options.onDone?.(++done, cells.length);
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, worker));
  return results;
}

/** Returns the result of a cell that could not be probed: it fails, even if it should be blocked, because nothing is proven. */
function failCell(cell: Cell, verdict: Verdict, error: unknown): CellResult {
  return {
    ...describeCell(cell, "", 0),
    expected: verdict.expected,
    actual: "fail",
    ok: false,
    latencyMs: 0,
    attempts: 1,
    reason: `could not be probed: ${getErrorMessage(error)}`,
  };
}

let nextToken = Math.floor(Math.random() * TOKENS);
/** Reserves new tokens: kernels still send packets of an earlier run's connections, whose tokens must differ. */
export function reserveTokens(count: number): number {
  const first = nextToken;
  nextToken += count;
  return first;
}

async function runCell(
  cell: Cell,
  verdict: Verdict,
  token: string,
  variant: Variant,
  deployment: Deployment,
  options: RunOptions,
): Promise<CellResult> {
  const { address, port, url } = deployment.locate(cell);
  const prober = await deployment.getProber(cell.from);
  const isBlocked = verdict.expected === "blocked";
  const maxAttempts = isBlocked ? 1 : options.attempts;
  const sources = listExpectedSources(cell, variant, deployment);
  const passTimeoutMs = options.passTimeoutMs * (cell.bytes === undefined ? 1 : LARGE_FACTOR);
  let attempts = 0;
  let answer: ProbeAnswer;
  let problem: string | undefined;
  do {
    attempts += 1;
    answer = await prober.probe({
      protocol: cell.protocol,
      address,
      port,
      token,
      timeoutMs: isBlocked ? options.blockedTimeoutMs : passTimeoutMs,
      connectOnly: cell.to.kind === "api-server" || cell.to.kind === "external-target",
      ...(url === undefined ? {} : { url }),
      ...(cell.bytes === undefined ? {} : { bytes: cell.bytes }),
      ...(cell.to.kind === "service" && cell.to.byName
        ? { name: `${cell.to.service}.${deployment.namespace}.svc` }
        : {}),
    });
    problem = answer.ok ? describeWrongAnswer(cell, answer, sources, deployment) : answer.error;
  } while (!answer.ok && attempts < maxAttempts);
  const actual = answer.ok && problem === undefined ? "pass" : "fail";
  // With an answer from the wrong pod, or to the wrong address, the cell was not blocked.
  const ok = isBlocked ? !answer.ok : actual === "pass";
  return {
    ...describeCell(cell, address, port),
    expected: verdict.expected,
    ...(verdict.expected === "blocked" ? { blockedBy: verdict.by } : {}),
    actual,
    ok,
    latencyMs: answer.latencyMs,
    attempts,
    ...(answer.resent === undefined ? {} : { resent: answer.resent }),
    ...(answer.local === undefined ? {} : { client: answer.local }),
    ...(answer.seen === undefined ? {} : { seen: answer.seen }),
    ...(sources === undefined ? {} : { expectedSource: [...sources] }),
    ...describeReason(verdict, ok, problem),
  };
}

/** Factor for the timeout of a large payload. */
const LARGE_FACTOR = 4;

async function runAttackCell(cell: Cell, verdict: Verdict, token: string, deployment: Deployment): Promise<CellResult> {
  const { address, port } = deployment.locate(cell);
  const started = performance.now();
  const first = reserveTokens(2);
  const outcome = await runAttack(cell, token, [formatToken(first), formatToken(first + 1)], deployment);
  const { controlled, arrived, error } = outcome;
  const verdictReason = verdict.expected === "blocked" ? verdict.reason : "";
  return {
    ...describeCell(cell, address, port),
    expected: verdict.expected,
    ...(verdict.expected === "blocked" ? { blockedBy: verdict.by } : {}),
    actual: arrived ? "pass" : "fail",
    ok: controlled && !arrived,
    latencyMs: performance.now() - started,
    attempts: 1,
    reason: arrived
      ? `it must not arrive, but did: ${verdictReason}`
      : controlled
        ? verdictReason
        : `nothing is proven: ${error ?? "the control datagrams, which must arrive, did not arrive"}`,
  };
}

function describeCell(cell: Cell, address: string, port: number) {
  return {
    id: cell.id,
    source: cell.source,
    target: cell.target,
    group: cell.group,
    from: cell.from,
    to: cell.to.kind === "pod" ? cell.to.pod : (cell.server ?? cell.to.kind),
    address: port === 0 ? address : address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`,
    placement: cell.placement,
    family: cell.family,
    protocol: cell.protocol,
  };
}

function describeReason(verdict: Verdict, ok: boolean, problem: string | undefined): { reason?: string } {
  if (verdict.expected === "blocked")
    return {
      reason: ok ? `${verdict.reason}; ${problem ?? ""}` : `should be blocked, but was answered: ${verdict.reason}`,
    };
  return problem === undefined ? {} : { reason: problem };
}

/** Returns the allowed source addresses at the server; undefined if the server or the cluster does not show them. */
function listExpectedSources(cell: Cell, variant: Variant, deployment: Deployment): readonly string[] | undefined {
  if (!deployment.judgesSources) return undefined;
  const settings = deployment.settingsKnown
    ? getNetworkSettings(variant, cell.family)
    : getUnknownSettings(deployment.versions, variant.returnPath);
  const refs = expectedSource(cell, settings);
  const addresses = refs?.map((ref) => deployment.findSources(ref, cell.family));
  const knownAddresses = addresses?.filter((sources) => sources !== undefined);
  return knownAddresses?.length === addresses?.length ? knownAddresses?.flat() : undefined;
}

function describeWrongAnswer(
  cell: Cell,
  answer: ProbeAnswer,
  sources: readonly string[] | undefined,
  deployment: Deployment,
): string | undefined {
  const server = cell.server === EXTERNAL ? deployment.externalName : cell.server;
  if (server !== undefined && answer.server !== server)
    return `answered by ${answer.server ?? "a server without a name"}, expected ${server}`;
  return sources === undefined || sources.includes(answer.seen ?? "")
    ? undefined
    : `the server saw the source ${answer.seen ?? "nothing"}, expected ${sources.join(" or ")}`;
}
