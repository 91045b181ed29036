import { release } from "node:os";
import type { ClusterView } from "./discovery/cluster-cache.ts";
import { familyOf } from "../datapath/address.ts";
import type { Facts } from "../datapath/facts.ts";
import { FilterReader, type Filters } from "./kube-proxy/packet-filters.ts";
import { applyForwardChanges, planForwardChanges } from "./kube-proxy/forward-chain.ts";
import { findOtherDrops } from "./kube-proxy/invalid-drops.ts";
import type { Kube } from "../kubernetes/kube-client.ts";
import { KubeProxyObserver } from "./kube-proxy/kube-proxy-observer.ts";
import { RESTART_AGAIN_MS, restartHelps } from "./kube-proxy/kube-proxy-restart.ts";
import { log } from "./status/log.ts";
import { inNamespace, RESOURCE } from "../kubernetes/objects.ts";
import { findNetworkOverUnderlay, readPodNetworks } from "./discovery/pod-detection.ts";
import { settingsOf } from "./discovery/observe.ts";
import { isOn } from "./discovery/settings.ts";
import { readNodeLinks } from "./reconcile/node-routes.ts";
import { decideServices } from "./kube-proxy/service-translation.ts";
import type { AgentState } from "./status/agent-status.ts";

/** Sees what the node's packet filters and its kube-proxy do, lets our links through FORWARD, restarts kube-proxy where it may. */
export class KubeProxyDuty {
  readonly #kube: Kube;
  readonly #node: string;
  readonly #view: ClusterView;
  readonly #state: AgentState;
  readonly #observed: () => void;
  readonly #filters = new FilterReader();
  readonly #observer = new KubeProxyObserver();
  #drops: { readonly filters: Filters; readonly found: readonly string[] } | undefined;
  #restarted = Number.NEGATIVE_INFINITY;

  /** @param observed called when the state has what was seen */
  constructor(kube: Kube, node: string, view: ClusterView, state: AgentState, observed: () => void) {
    this.#kube = kube;
    this.#node = node;
    this.#view = view;
    this.#state = state;
    this.#observed = observed;
  }

  async pass(): Promise<void> {
    const pod = this.#view.pods.values().find(({ metadata }) => metadata.labels["k8s-app"] === "kube-proxy");
    const filters = await this.#filters.read();
    const kubeProxy = await this.#observer.observe(filters, pod?.spec.containers[0]?.image);
    this.#state.kubeProxy = kubeProxy;
    const { facts } = this.#state;
    if (facts !== undefined) {
      this.#state.otherDrops = this.#findOtherDrops(filters, facts);
      this.#state.services = decideServices({
        families: [...new Set(facts.serviceCidrs.map(familyOf))],
        translators: filters.translators,
        calicoBpf: this.#view.felix.get("default")?.spec.bpfEnabled === true,
        cilium: this.#view.cilium.get("kube-system/cilium-config")?.data,
        kernel: release(),
        kubeProxyAnswers: kubeProxy.mode !== null,
        networkOverUnderlay: findNetworkOverUnderlay(
          readPodNetworks(this.#view.kubeProxyConfig.get("kube-system/kube-proxy")?.data["config.conf"]),
          facts.node.addresses,
        ),
        overlayCidrs: facts.overlayCidrs,
      });
    }
    this.#observed();
    if (facts !== undefined) {
      const changes = planForwardChanges(filters.saved, facts.returnPath === "none" ? undefined : facts);
      for (const what of applyForwardChanges(changes))
        log("info", "FORWARD drops what no rule accepts, or did", { what });
    }
    const now = performance.now();
    if (
      pod !== undefined &&
      restartHelps(facts?.returnPath, this.#state.tcpBeLiberal, kubeProxy) &&
      isOn(settingsOf(this.#view), this.#node, "restartKubeProxy") &&
      now - this.#restarted > RESTART_AGAIN_MS
    ) {
      this.#restarted = now;
      const { name, namespace = "kube-system", uid } = pod.metadata;
      log("info", "kube-proxy is restarted, so that it leaves its INVALID rule out", { pod: name });
      await this.#kube.delete(inNamespace(RESOURCE.pods, namespace), name, uid);
    }
  }

  /** Walks the chains again only when they were read again. */
  #findOtherDrops(filters: Filters, facts: Facts): readonly string[] {
    if (this.#drops?.filters !== filters) {
      const outLinks = readNodeLinks(facts.overlayCidrs, facts.uplink);
      this.#drops = { filters, found: findOtherDrops(filters, outLinks) };
    }
    return this.#drops.found;
  }
}
