import type { TracePath, Trace, TraceRequest, TraceVerdict } from "../trace.ts";
import { runExchange } from "./exchange.ts";
import { explainUntranslated } from "./explain-untranslated.ts";
import type { TraceModel } from "./build-trace-model.ts";
import { WalkState } from "./walk-state.ts";

/** Greatest number of paths that are followed. One more path with verdict unknown stands for the others. */
const MAX_PATHS = 1000;
/** Verdicts in ascending order of severity. */
const SEVERITY: readonly TraceVerdict[] = ["pass", "unknown", "reject", "drop"];

/**
 * Computes the paths of a connection without sending a packet.
 *
 * @returns a path for each combination of the random choices that rules and routes make, and the worst verdict of all paths
 */
export function traceConnection(model: TraceModel, request: TraceRequest): Trace {
  const paths: TracePath[] = [];
  const pendingChoices: (readonly number[])[] = [[]];
  let exploredProbability = 0;
  for (
    let choices = pendingChoices.pop();
    choices !== undefined && paths.length < MAX_PATHS;
    choices = pendingChoices.pop()
  ) {
    const path = followChoices(model, request, choices, pendingChoices);
    exploredProbability += path.probability;
    paths.push(path);
  }
  if (pendingChoices.length > 0)
    paths.push({
      probability: Math.max(0, 1 - exploredProbability),
      verdict: "unknown",
      packets: [],
      failure: {
        verdict: "unknown",
        kind: "not-modelled",
        namespace: request.source,
        text: `random choices of rules and routes lead to more than ${MAX_PATHS} paths; the others were not followed`,
      },
    });
  return { request, verdict: findWorst(paths), paths };
}

/**
 * Follows one path.
 *
 * @param choices index of the result of each random choice, from the start of the path. A choice after them has its first
 * result, and each of its other results is added to `pendingChoices`.
 */
function followChoices(
  model: TraceModel,
  request: TraceRequest,
  choices: readonly number[],
  pendingChoices: (readonly number[])[],
): TracePath {
  const taken: number[] = [];
  let probability = 1;
  const choose = (probabilities: readonly number[]): number => {
    const index = choices[taken.length] ?? 0;
    if (taken.length >= choices.length)
      for (let alternative = probabilities.length - 1; alternative > 0; alternative -= 1)
        pendingChoices.push([...taken, alternative]);
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
