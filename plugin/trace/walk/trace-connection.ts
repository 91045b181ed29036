import type { TracePath, Trace, TraceRequest, TraceVerdict } from "../trace.ts";
import { runExchange } from "./exchange.ts";
import { explainUntranslated } from "./explain-untranslated.ts";
import type { TraceModel } from "./build-trace-model.ts";
import { WalkState } from "./walk-state.ts";

/** Most random results of rules that are followed; what remains is reported as unknown. */
const MOST_PATHS = 1000;
/** From best to worst. */
const SEVERITY: readonly TraceVerdict[] = ["pass", "unknown", "reject", "drop"];

/**
 * Computes what happens to a connection, without sending a packet: one path for each random choice that rules and
 * routes make.
 */
export function traceConnection(model: TraceModel, request: TraceRequest): Trace {
  const paths: TracePath[] = [];
  const pending: (readonly number[])[] = [[]];
  let explored = 0;
  for (let prefix = pending.pop(); prefix !== undefined && paths.length < MOST_PATHS; prefix = pending.pop()) {
    const path = followChoices(model, request, prefix, pending);
    explored += path.probability;
    paths.push(path);
  }
  if (pending.length > 0)
    paths.push({
      probability: Math.max(0, 1 - explored),
      verdict: "unknown",
      packets: [],
      failure: {
        verdict: "unknown",
        kind: "not-modelled",
        namespace: request.source,
        text: `more than ${MOST_PATHS} random choices`,
      },
    });
  return { request, verdict: findWorst(paths), paths };
}

/** Follows the given choices, then the first result of each further one; notes the other results as pending. */
function followChoices(
  model: TraceModel,
  request: TraceRequest,
  prefix: readonly number[],
  pending: (readonly number[])[],
): TracePath {
  const taken: number[] = [];
  let probability = 1;
  const choose = (probabilities: readonly number[]): number => {
    const index = prefix[taken.length] ?? 0;
    if (taken.length >= prefix.length)
      for (let other = probabilities.length - 1; other > 0; other -= 1) pending.push([...taken, other]);
    taken.push(index);
    probability *= probabilities[index] ?? 0;
    return index;
  };
  const exchange = explainUntranslated(request, runExchange(new WalkState(model, choose), request));
  return { probability, ...exchange };
}

function findWorst(paths: readonly TracePath[]): TraceVerdict {
  return paths
    .map(({ verdict }) => verdict)
    .reduce((worst, verdict) => (SEVERITY.indexOf(verdict) > SEVERITY.indexOf(worst) ? verdict : worst));
}
