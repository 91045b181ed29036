import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { renderMinSyncPeriod } from "../../../clusters/kubernetes/kube-proxy-config.ts";
import type { ClusterApi } from "../../support/cluster-api.ts";

const MAP = { namespace: "kube-system", name: "kube-proxy" } as const;
const KEY = "config.conf";

/** Sets minSyncPeriod, the minimum time between two updates of rules, for every kube-proxy that starts later. */
export async function setMinSyncPeriod(api: ClusterApi, period: string): Promise<void> {
  const config = (await api.core.readNamespacedConfigMap(MAP)).data?.[KEY] ?? "";
  await api.core.patchNamespacedConfigMap(
    { ...MAP, body: { data: { [KEY]: renderMinSyncPeriod(config, period) } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
}
