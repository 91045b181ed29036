import { parse } from "yaml";
import { z } from "zod";
import type { KubeProxy } from "../spec/kube-proxy.ts";

const proxyConfiguration = z.looseObject({ mode: z.string().nullish() });

/** Objects of a cluster that show its kube-proxy. */
export interface KubeProxySources {
  /** Image of the DaemonSet `kube-proxy`. */
  readonly daemonSet: string | undefined;
  /** Images of pods in kube-system whose names begin with `kube-proxy`: static pods, as RKE2 and GKE have them. */
  readonly pods: readonly string[];
  readonly kubelets: readonly string[];
  /** The KubeProxyConfiguration of kubeadm's ConfigMap. */
  readonly config: string | undefined;
}

/** A kube-proxy whose behaviour can be predicted, or the reason why it cannot. */
type KubeProxyFinding =
  | { readonly kubeProxy: KubeProxy; readonly source: string }
  | { readonly kubeProxy?: undefined; readonly problem: string };

/** Finds version and mode of kube-proxy in a DaemonSet, in static pods, or in k3s, which contains it. Pure. */
export function findKubeProxy({ daemonSet, pods, kubelets, config }: KubeProxySources): KubeProxyFinding {
  const mode = proxyConfiguration.safeParse(parse(config ?? "{}")).data?.mode ?? "iptables";
  if (mode !== "" && mode !== "iptables" && mode !== "nftables")
    return { problem: `kube-proxy runs in mode ${mode}: the suite can predict iptables and nftables only` };
  const parseVersion = (image: string | undefined): string | undefined => /:(v\d+\.\d+\.\d+)/.exec(image ?? "")?.[1];
  const known = { mode: mode === "nftables" ? mode : "iptables" } as const;
  const [kubelet = ""] = kubelets;
  const k3s = /^(v\d+\.\d+\.\d+)\+k3s/.exec(kubelet)?.[1];
  const candidates = [
    ["DaemonSet", parseVersion(daemonSet)],
    ["static pods", parseVersion(pods[0])],
    ["k3s", k3s],
    // An image with a digest has no version; kubeadm and others use kubelet's version for kube-proxy.
    [
      "kubelet's version",
      daemonSet !== undefined || pods.length > 0 ? /^v\d+\.\d+\.\d+/.exec(kubelet)?.[0] : undefined,
    ],
  ] as const;
  for (const [source, version] of candidates)
    if (version !== undefined) return { kubeProxy: { version, ...known }, source };
  return {
    problem: "no kube-proxy was found (DaemonSet, static pods, k3s): the suite cannot predict connections to Services",
  };
}
