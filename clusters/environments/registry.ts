import type { Environment } from "../spec/environment.ts";
import { ADDON_ENVIRONMENTS } from "./addon-environments.ts";
import { CALICO_ENVIRONMENTS } from "./calico-environments.ts";
import { KUBE_PROXY_ENVIRONMENTS } from "./kube-proxy-environments.ts";
import { NODE_ENVIRONMENTS } from "./node-environments.ts";
import { OVERLAY_ENVIRONMENTS } from "./overlay-environments.ts";

/** The suite's default cluster: kubeadm's kube-proxy, Calico with VXLAN, and nodes without special settings. */
export const DEFAULT_ENVIRONMENT: Environment = {
  name: "default",
  title: "the suite's own cluster",
  realClusters: "kubeadm with Calico in VXLAN mode and Multus",
  changes: "nothing",
  spec: {},
  providers: ["kind", "lab"],
};

/** All environments, in the order of a run with `--environment all`. */
export const ENVIRONMENTS: readonly Environment[] = [
  DEFAULT_ENVIRONMENT,
  ...KUBE_PROXY_ENVIRONMENTS,
  ...CALICO_ENVIRONMENTS,
  ...OVERLAY_ENVIRONMENTS,
  ...NODE_ENVIRONMENTS,
  ...ADDON_ENVIRONMENTS,
];

/** Returns the environment with a name. @throws for an unknown name, with the list of known names */
export function findEnvironment(name: string): Environment {
  const environment = ENVIRONMENTS.find((candidate) => candidate.name === name);
  if (environment === undefined)
    throw new Error(
      `unknown environment "${name}": use all, or names from ${ENVIRONMENTS.map((known) => known.name).join(", ")}`,
    );
  return environment;
}

/** Returns the environments of a list like `a,b` or `all`, in the order of the list. @throws for an unknown name */
export function parseEnvironments(list: string): readonly Environment[] {
  return list.trim() === "all" ? ENVIRONMENTS : list.split(",").map((name) => findEnvironment(name.trim()));
}
