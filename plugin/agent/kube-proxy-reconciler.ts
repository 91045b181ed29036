import { release } from "node:os";
import type { ClusterCache } from "./discovery/cluster-cache.ts";
import { getFamily } from "../datapath/address.ts";
import type { Facts } from "../datapath/facts.ts";
import { FilterReader, type Filters } from "./kube-proxy/packet-filters.ts";
import { applyForwardChanges, planForwardChanges } from "./kube-proxy/forward-chain.ts";
import { findOtherDrops } from "./kube-proxy/invalid-drops.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import { KubeProxyObserver } from "./kube-proxy/kube-proxy-observer.ts";
import { RESTART_INTERVAL_MS, isRestartUseful } from "./kube-proxy/kube-proxy-restart.ts";
import { writeLog } from "./status/agent-log.ts";
import { inNamespace, RESOURCE } from "../kubernetes/objects.ts";
import { findNetworkOverUnderlay, readPodNetworks } from "./discovery/pod-detection.ts";
import { readSettings } from "./discovery/observe.ts";
import { isEnabled } from "./discovery/config-map-settings.ts";
import { readNodeLinks } from "./reconcile/overlay-routes.ts";
import { decideServices } from "./kube-proxy/service-translation.ts";
import type { AgentStatus } from "./status/agent-status.ts";

/** Observes the node's packet filters and kube-proxy, writes FORWARD rules for Interlay's links, and restarts kube-proxy if configured. */
export class KubeProxyReconciler {
  readonly #kube: KubeClient;
  readonly #node: string;
  readonly #cache: ClusterCache;
  readonly #state: AgentStatus;
  readonly #observed: () => void;
  readonly #filters = new FilterReader();
  readonly #observer = new KubeProxyObserver();
  #drops: { readonly filters: Filters; readonly lines: readonly string[] } | undefined;
  #restartedAt = Number.NEGATIVE_INFINITY;

  /** @param observed called after a pass has updated the state */
  constructor(kube: KubeClient, node: string, cache: ClusterCache, state: AgentStatus, observed: () => void) {
    this.#kube = kube;
    this.#node = node;
    this.#cache = cache;
    this.#state = state;
    this.#observed = observed;
  }

  async reconcile(): Promise<void> {
    const pod = this.#cache.pods.values().find(({ metadata }) => metadata.labels["k8s-app"] === "kube-proxy");
    const filters = await this.#filters.read();
    const kubeProxy = await this.#observer.observe(filters, pod?.spec.containers[0]?.image);
    this.#state.kubeProxy = kubeProxy;
    const { facts } = this.#state;
    if (facts !== undefined) {
      this.#state.otherDrops = this.#findOtherDrops(filters, facts);
      this.#state.services = decideServices({
        families: [...new Set(facts.serviceCidrs.map(getFamily))],
        translators: filters.translators,
        calicoBpf: this.#cache.felix.get("default")?.spec.bpfEnabled === true,
        cilium: this.#cache.cilium.get("kube-system/cilium-config")?.data,
        kernel: release(),
        kubeProxyAnswers: kubeProxy.mode !== null,
        networkOverUnderlay: findNetworkOverUnderlay(
          readPodNetworks(this.#cache.kubeProxyConfig.get("kube-system/kube-proxy")?.data["config.conf"]),
          facts.node.addresses,
        ),
        overlayCidrs: facts.overlayCidrs,
      });
    }
    this.#observed();
    if (facts !== undefined) {
      const changes = planForwardChanges(filters.saved, facts.returnPath === "none" ? undefined : facts);
      for (const change of applyForwardChanges(changes))
        writeLog("info", "FORWARD drops what no rule accepts, or did", { what: change });
    }
    const now = performance.now();
    if (
      pod !== undefined &&
      isRestartUseful(facts?.returnPath, this.#state.tcpBeLiberal, kubeProxy) &&
      isEnabled(readSettings(this.#cache), this.#node, "restartKubeProxy") &&
      now - this.#restartedAt > RESTART_INTERVAL_MS
    ) {
      this.#restartedAt = now;
      const { name, namespace = "kube-system", uid } = pod.metadata;
      writeLog("info", "kube-proxy is restarted, so that it leaves its INVALID rule out", { pod: name });
      await this.#kube.delete(inNamespace(RESOURCE.pods, namespace), name, uid);
    }
  }

  /** Finds the rules of others that drop INVALID packets; evaluates the chains only after they were read again. */
  #findOtherDrops(filters: Filters, facts: Facts): readonly string[] {
    if (this.#drops?.filters !== filters) {
      const outLinks = readNodeLinks(facts.overlayCidrs, facts.uplink);
      this.#drops = { filters, lines: findOtherDrops(filters, outLinks) };
    }
    return this.#drops.lines;
  }
}
