import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import type { OnAttempt, OnApplied, Undo } from "./apply-step.ts";
import type { NetworkNamespace } from "../kernel.ts";
import type { PlanItem, SysctlItem } from "../plan-item.ts";
import { buildSysctlPath } from "../sysctl-path.ts";

/** Buffer size for a value: more than any sysctl of a plan has. */
const SYSCTL_BYTES = 64;

/** Reports whether an item is a sysctl. */
export function isSysctl(item: PlanItem): item is SysctlItem {
  return item.kind === "sysctl";
}

/** Writes all sysctls of a namespace, which is entered only once. */
export function applySysctls(
  items: readonly SysctlItem[],
  where: NetworkNamespace,
  onApplied: OnApplied,
  onAttempt: OnAttempt,
): void {
  where.run(() => {
    for (const item of items) {
      onAttempt(item);
      onApplied(item, writeSysctl(item, where));
    }
  });
}

/** Writes a sysctl. The thread must be in the namespace `where`. @returns its undo step; undefined if the value was already set */
export function writeSysctl(item: SysctlItem, where: NetworkNamespace): Undo | undefined {
  const path = buildSysctlPath(item.path.join("/"));
  const file = openSync(path, "r+");
  try {
    const bytes = Buffer.alloc(SYSCTL_BYTES);
    const previous = bytes.toString("latin1", 0, readSync(file, bytes, 0, SYSCTL_BYTES, 0)).trim();
    if (previous === item.value) return undefined;
    writeSync(file, item.value, 0);
    return () => {
      where.run(() => {
        writeFileSync(path, previous);
      });
    };
  } finally {
    closeSync(file);
  }
}
