import { access } from "node:fs/promises";
import { freemem } from "node:os";
import type { ClusterSpec, PreflightFinding } from "../provider.ts";

const MIB = 2 ** 20;
/** Measured: the control plane takes 600 MiB, a node 350. */
const MEMORY_MIB = { base: 600, node: 350 } as const;

/** What would stop a lab on this machine, each with its remedy. Changes nothing. */
export async function checkLabPreflight(spec: ClusterSpec): Promise<readonly PreflightFinding[]> {
  const findings: PreflightFinding[] = [];
  if (process.getuid?.() !== 0)
    findings.push({
      severity: "error",
      message: "A lab is made of network and mount namespaces: run it as root (sudo -E npm run …).",
    });
  const namespaces = await access("/proc/self/ns/pid").then(
    () => true,
    () => false,
  );
  if (!namespaces)
    findings.push({ severity: "error", message: "This kernel has no namespaces: use a Linux of this decade." });
  const wanted = MEMORY_MIB.base + MEMORY_MIB.node * (spec.workers + 1);
  const free = freemem() / MIB;
  if (free < wanted)
    findings.push({
      severity: "warning",
      message: `Only ${Math.round(free)} MiB of memory are free, and this lab wants ${wanted}: it may be slow, or be killed.`,
    });
  return findings;
}
