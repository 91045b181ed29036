import { removeExternalHosts } from "../external/external-host.ts";
import { removeClientNetwork } from "./client-network.ts";
import type { Step } from "./step.ts";

/** Removes external hosts when the cluster is deleted. Cluster.external and Cluster.startRoutedClient start them. */
export const externalHostsStep: Step = {
  title: () => "external hosts",
  isDone: () => Promise.resolve(true),
  do: () => Promise.resolve(),
  async undo(engine, cluster) {
    await removeClientNetwork(engine, cluster);
    await removeExternalHosts(engine, cluster);
  },
};
