import type { Environment } from "../../clusters/environments/environment.ts";
import { DEFAULT_ENVIRONMENT, findEnvironment } from "../../clusters/environments/registry.ts";
import type { Cell } from "./cells.ts";
import { type Expectation, expectationFor, gate, isAsymmetric, type Variant, type Verdict } from "./gate.ts";

/** Returns the environment of a variant. Throws for a name that is unknown. */
export function environmentFor({ environment }: Variant): Environment {
  return environment === undefined ? DEFAULT_ENVIRONMENT : findEnvironment(environment);
}

/** Returns what a cell must do in a variant: what its environment makes impossible is blocked, all else is the gate's. */
export function verdictFor(variant: Variant, cell: Cell): Verdict {
  const environment = environmentFor(variant);
  const impossible = environment.impossible.find(({ cells }) => cells(cell));
  if (impossible !== undefined) return { expected: "blocked", reason: impossible.reason };
  if (dropsInvalid(environment))
    return isAsymmetric(cell) && variant.returnPath !== "notrack"
      ? { expected: "blocked", reason: "a rule in the FORWARD chain of the source's node drops the ACK as INVALID" }
      : { expected: "pass" };
  return hasKubeProxy(environment) ? gate(variant, cell) : { expected: "pass" };
}

/** Returns what kube-proxy and the sysctl must be on the nodes of a variant. */
export function expectationIn(variant: Variant): Expectation {
  const expectation = expectationFor(variant);
  return hasKubeProxy(environmentFor(variant))
    ? expectation
    : { ...expectation, invalidDropRule: false, reason: "no kube-proxy runs that could write the rule" };
}

function hasKubeProxy({ spec }: Environment): boolean {
  return spec.kubeProxy?.installed !== false;
}

/** Whether a rule of the environment drops INVALID packets, whatever kube-proxy does. */
function dropsInvalid({ spec }: Environment): boolean {
  return spec.nodes?.iptables?.some((argv) => argv.includes("INVALID") && argv.includes("DROP")) ?? false;
}
