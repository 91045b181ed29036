import { freemem } from "node:os";
import { pathExists } from "../components/path-exists.ts";
import type { PreflightFinding } from "../provider/provider.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";

const MIB = 2 ** 20;
/** Measured memory of the control plane and of a node, in MiB. */
const MEMORY_MIB = { base: 600, node: 350 } as const;

/** Returns the problems that would stop or slow a lab on this machine, each with its remedy. Changes nothing. */
export async function checkLabPreflight(spec: ClusterSpec): Promise<readonly PreflightFinding[]> {
  const findings: PreflightFinding[] = [];
  if (process.getuid?.() !== 0)
    findings.push({
      severity: "error",
      message: "A lab creates network and mount namespaces: run it as root (sudo -E npm run …).",
    });
  if (!(await pathExists("/proc/self/ns/pid")))
    findings.push({
      severity: "error",
      message: "The kernel has no process namespaces: use a kernel with CONFIG_PID_NS.",
    });
  const needed = MEMORY_MIB.base + MEMORY_MIB.node * (spec.workers + 1);
  const free = freemem() / MIB;
  if (free < needed)
    findings.push({
      severity: "warning",
      message: `Only ${Math.round(free)} MiB of memory are free, and this lab needs ${needed} MiB: it may be slow, or be killed.`,
    });
  return findings;
}
