import type { KernelLimits } from "./kernel-limits.ts";

/**
 * Limits of inotify. Every node runs systemd, containerd and kubelet, each with several inotify instances of one user. About
 * six nodes use the kernel's default of 128; the next kubelet fails with "too many open files" (kind, known issues: "Pod errors
 * due to too many open files").
 */
export const INOTIFY: KernelLimits = {
  prefix: "fs.inotify",
  minimums: { max_user_instances: 1024, max_user_watches: 524_288 },
  reason: "several nodes share it",
};
