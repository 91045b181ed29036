import { parse } from "yaml";
import { z } from "zod";
import type { KubeProxy } from "../provider.ts";

const proxyConfiguration = z.looseObject({ mode: z.string().nullish() });

/** Where a cluster may show its kube-proxy. */
export interface KubeProxySources {
  /** Image of a DaemonSet `kube-proxy`. */
  readonly daemonSet: string | undefined;
  /** Images of pods in kube-system whose names begin with `kube-proxy`: static pods, as RKE2 and GKE have them. */
  readonly pods: readonly string[];
  readonly kubelets: readonly string[];
  /** The KubeProxyConfiguration of kubeadm's ConfigMap. */
  readonly config: string | undefined;
}

/** What was found: a kube-proxy whose behaviour can be predicted, or why it cannot. */
export type KubeProxyFinding =
  | { readonly kubeProxy: KubeProxy; readonly source: string }
  | { readonly kubeProxy?: undefined; readonly problem: string };

/** Finds version and mode of kube-proxy: in a DaemonSet, static pods, or in k3s, which runs it in its own process. Pure. */
export function findKubeProxy({ daemonSet, pods, kubelets, config }: KubeProxySources): KubeProxyFinding {
  const mode = proxyConfiguration.safeParse(parse(config ?? "{}")).data?.mode ?? "iptables";
  if (mode !== "" && mode !== "iptables" && mode !== "nftables")
    return { problem: `kube-proxy runs in mode ${mode}: the gate knows iptables and nftables only` };
  const versionOf = (image: string | undefined): string | undefined => /:(v\d+\.\d+\.\d+)/.exec(image ?? "")?.[1];
  const known = { mode: mode === "nftables" ? mode : "iptables" } as const;
  const [kubelet = ""] = kubelets;
  const k3s = /^(v\d+\.\d+\.\d+)\+k3s/.exec(kubelet)?.[1];
  const candidates = [
    ["DaemonSet", versionOf(daemonSet)],
    ["static pods", versionOf(pods[0])],
    ["k3s", k3s],
    // An image that is pinned by its digest names no version; kubeadm and others keep kube-proxy at the kubelet's.
    [
      "kubelet's version",
      daemonSet !== undefined || pods.length > 0 ? /^v\d+\.\d+\.\d+/.exec(kubelet)?.[0] : undefined,
    ],
  ] as const;
  for (const [source, version] of candidates)
    if (version !== undefined) return { kubeProxy: { version, ...known }, source };
  return {
    problem: "no kube-proxy was found (DaemonSet, static pods, k3s): what a Service must do cannot be predicted",
  };
}
