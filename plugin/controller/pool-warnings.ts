import type { ObjectWarning } from "../agent/status/warnings.ts";
import type { PoolSummary } from "./pool-status.ts";

/** Lists the reasons why a pool assigns no address, or will soon assign none. */
export function listPoolWarnings({ total, used, free, conditions }: PoolSummary): readonly ObjectWarning[] {
  const full =
    total > 0 && free <= 0
      ? [
          {
            reason: "PoolFull",
            message: `No address is free: ${used} of ${total} are in use${used < total ? ", the others are reserved" : ""}. Add a range, or delete pods.`,
          },
        ]
      : [];
  const failing = conditions.filter(({ type, status }) =>
    type === "Ready" ? status === "False" : type === "Conflicts",
  );
  return [...full, ...failing.map(({ reason, message }) => ({ reason, message }))];
}
