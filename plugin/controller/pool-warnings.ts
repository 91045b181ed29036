import type { ObjectWarning } from "../agent/status/warnings.ts";
import type { PoolSummary } from "./pool-status.ts";

/** Lists why a pool gives no address, or will soon give none. */
export function listPoolWarnings({ total, free, conditions }: PoolSummary): readonly ObjectWarning[] {
  const full =
    total > 0 && free <= 0
      ? [{ reason: "PoolFull", message: `All ${total} addresses are in use: add a range, or delete pods.` }]
      : [];
  const failing = conditions.filter(({ type, status }) =>
    type === "Ready" ? status === "False" : type === "Conflicts",
  );
  return [...full, ...failing.map(({ reason, message }) => ({ reason, message }))];
}
