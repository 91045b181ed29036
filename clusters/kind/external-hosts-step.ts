import { removeExternalHosts } from "../external/external-host.ts";
import type { Step } from "./step.ts";

/** Hosts outside the cluster: `up` starts none (Cluster.external does, when asked), `down` removes what there is. */
export const externalHostsStep: Step = {
  title: () => "external hosts",
  isDone: () => Promise.resolve(true),
  do: () => Promise.resolve(),
  undo: removeExternalHosts,
};
