import type { RuleStep } from "../hook.ts";

/** Chains of network policies. */
const POLICY_CHAIN = /^(?:cali-(?:tw|fw|pi|po|pro|pri)|KUBE-(?:NWPLCY|POD-FW))/;

/** Reports whether a rule belongs to a network policy, which denies packets intentionally. */
export function isPolicyRule(rule: Pick<RuleStep, "chain"> | undefined): boolean {
  return rule !== undefined && POLICY_CHAIN.test(rule.chain);
}
