import { join } from "node:path";
import { getCacheRoot } from "../../components/cache.ts";

/** Returns the directory of a lab: its keys, kubeconfig, state and logs. */
export function getLabDirectory(lab: string): string {
  return join(getCacheRoot(), "labs", lab);
}

/** Paths of a lab's files. */
export interface LabFiles {
  readonly directory: string;
  readonly plan: string;
  readonly kubeconfig: string;
  /** Process id, on the host, of the program that holds the lab. */
  readonly pid: string;
  /** Machines and pods that run (lab-plan.ts), with process ids of the lab's process namespace. */
  readonly state: string;
  readonly log: string;
  /** Exists once the lab is up. */
  readonly complete: string;
  readonly apiSocket: string;
  /** Socket of the daemon's requests (control.ts). */
  readonly controlSocket: string;
}

/** Returns the paths of a lab's files. @param directory of the lab */
export function getLabFiles(directory: string): LabFiles {
  const getPath = (name: string) => join(directory, name);
  return {
    directory,
    plan: getPath("plan.json"),
    kubeconfig: getPath("kubeconfig"),
    pid: getPath("pid"),
    state: getPath("state.json"),
    log: getPath("daemon.log"),
    complete: getPath("complete"),
    apiSocket: getPath("api.sock"),
    controlSocket: getPath("control.sock"),
  };
}
