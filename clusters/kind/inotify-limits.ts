import type { KernelLimits } from "../kernel-limits.ts";

/**
 * Every node runs a systemd, a containerd and a kubelet, each with several inotify instances, all of one user. The
 * kernel's default of 128 is used up by about six nodes; the next kubelet dies with "too many open files"
 * (kind, known issues: "Pod errors due to too many open files"), which tells the rest where they cannot be raised.
 */
export const INOTIFY: KernelLimits = {
  prefix: "fs.inotify",
  atLeast: { max_user_instances: 1024, max_user_watches: 524_288 },
  because: "several nodes share it",
};
