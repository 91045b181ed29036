import { computePortShare, isChosenPort } from "../../chosen-port.ts";
import { BREAK, CONTINUE, type Result, toMatchResult } from "./ruleset.ts";

/**
 * Creates a function that decides a statement by a test of a port. For a port that a kernel chooses the result is a random choice,
 * unless the test has the same result for its whole range; that result is computed once.
 */
export function createPortMatcher<C = undefined>(
  test: (port: number, context: C) => boolean,
): (port: number, context: C) => Result {
  const results = new Map<number, Result>();
  return (port, context) => {
    if (!isChosenPort(port)) return toMatchResult(test(port, context));
    const cached = results.get(port);
    if (cached !== undefined) return cached;
    const result = createChoice(computePortShare(port, (candidate) => test(candidate, context)));
    results.set(port, result);
    return result;
  };
}

function createChoice(share: number): Result {
  if (share === 0 || share === 1) return toMatchResult(share === 1);
  return {
    kind: "choice",
    branches: [
      { probability: share, result: CONTINUE },
      { probability: 1 - share, result: BREAK },
    ],
  };
}
