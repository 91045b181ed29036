import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import type { OnAttempt, OnApplied, Undo } from "./apply-step.ts";
import type { NetworkNamespace } from "../kernel.ts";
import type { PlanItem, SysctlItem } from "../plan-item.ts";
import { buildSysctlPath } from "../sysctl-path.ts";

/** More than any of those that a plan sets. */
const SYSCTL_BYTES = 64;

/** Reports whether an item is a sysctl. */
export function isSysctl(item: PlanItem): item is SysctlItem {
  return item.kind === "sysctl";
}

/** The namespace is entered once for all. */
export function applySysctls(
  items: readonly SysctlItem[],
  where: NetworkNamespace,
  onApplied: OnApplied,
  failed: OnAttempt,
): void {
  where.run(() => {
    for (const item of items) {
      failed(item);
      onApplied(item, writeSysctl(item, where));
    }
  });
}

/** In the namespace that the thread is in, which is `where`. */
export function writeSysctl(item: SysctlItem, where: NetworkNamespace): Undo | undefined {
  const path = buildSysctlPath(item.path.join("/"));
  const file = openSync(path, "r+");
  try {
    const bytes = Buffer.alloc(SYSCTL_BYTES);
    const before = bytes.toString("latin1", 0, readSync(file, bytes, 0, SYSCTL_BYTES, 0)).trim();
    if (before === item.value) return undefined;
    writeSync(file, item.value, 0);
    return () => {
      where.run(() => {
        writeFileSync(path, before);
      });
    };
  } finally {
    closeSync(file);
  }
}
