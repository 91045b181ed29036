import { removeExternalHosts } from "../external/external-host.ts";
import type { Step } from "./step.ts";

/** Removes external hosts when the cluster is deleted. Cluster.external starts them. */
export const externalHostsStep: Step = {
  title: () => "external hosts",
  isDone: () => Promise.resolve(true),
  do: () => Promise.resolve(),
  undo: removeExternalHosts,
};
