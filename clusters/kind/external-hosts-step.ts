import { removeExternalContainers } from "../external/external-container.ts";
import { removeClientNetwork } from "./client-network.ts";
import type { Step } from "./step.ts";

/** Removes external containers when the cluster is deleted: a host on the underlay, a routed client, a registry. */
export const externalHostsStep: Step = {
  title: () => "external hosts",
  isDone: () => Promise.resolve(true),
  do: () => Promise.resolve(),
  async undo(engine, cluster) {
    await removeClientNetwork(engine, cluster);
    await removeExternalContainers(engine, cluster);
  },
};
