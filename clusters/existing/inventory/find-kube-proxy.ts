import { parse } from "yaml";
import { z } from "zod";
import { type KubeProxy, type KubeProxyMode, NO_KUBE_PROXY } from "../../spec/kube-proxy.ts";

const proxyConfiguration = z.looseObject({ mode: z.string().nullish() });
const MODES: readonly KubeProxyMode[] = ["iptables", "nftables", "ipvs"];

/** A container that may run kube-proxy. */
export interface ProxyContainer {
  readonly image: string;
  /** Command and arguments. */
  readonly argv: readonly string[];
}

/** Data of a cluster from which its kube-proxy can be determined. */
export interface KubeProxySources {
  /** Container of the DaemonSet `kube-proxy`. */
  readonly daemonSet: ProxyContainer | undefined;
  /** Containers of pods in kube-system whose names begin with `kube-proxy`: the static pods of RKE2 and GKE. */
  readonly pods: readonly ProxyContainer[];
  /** Versions of the kubelets. */
  readonly kubelets: readonly string[];
  /** KubeProxyConfigurations in ConfigMaps of kube-system: those of kubeadm and EKS. */
  readonly configs: readonly string[];
  /** Arguments of k3s and RKE2 on each node, from the annotations `k3s.io/node-args` and `rke2.io/node-args`. */
  readonly nodeArguments: readonly (readonly string[])[];
  /** Software that translates Services in place of kube-proxy, such as Cilium; undefined if none was found. */
  readonly replacement: string | undefined;
}

/** A kube-proxy with the place where it was found, or the reason why its behaviour cannot be predicted. */
export type KubeProxyFinding =
  | { readonly kubeProxy: KubeProxy; readonly source: string }
  | { readonly kubeProxy?: undefined; readonly problem: string };

/**
 * Finds version and mode of kube-proxy in a DaemonSet, in static pods, or in k3s, which contains it. Without any of them the
 * cluster has no kube-proxy. Pure.
 */
export function findKubeProxy(sources: KubeProxySources): KubeProxyFinding {
  const { daemonSet, pods, kubelets, nodeArguments, replacement } = sources;
  const [kubelet = ""] = kubelets;
  const k3s = /^(v\d+\.\d+\.\d+)\+k3s/.exec(kubelet)?.[1];
  const isDisabled = nodeArguments.some((argv) => argv.includes("--disable-kube-proxy"));
  const containers = [...(daemonSet === undefined ? [] : [daemonSet]), ...pods];
  const candidates = [
    { source: "DaemonSet", version: parseVersion(daemonSet?.image) },
    { source: "static pods", version: parseVersion(pods[0]?.image) },
    { source: "k3s", version: isDisabled ? undefined : k3s },
    // An image with a digest has no version; kubeadm and others use kubelet's version for kube-proxy.
    { source: "kubelet's version", version: containers.length > 0 ? parseVersion(`:${kubelet}`) : undefined },
  ];
  for (const { source, version } of candidates)
    if (version !== undefined) {
      const configuredMode = findMode(sources, containers);
      const mode = MODES.find((known) => known === configuredMode);
      return mode === undefined
        ? { problem: `kube-proxy runs in mode ${configuredMode}: the suite can predict ${MODES.join(", ")} only` }
        : { kubeProxy: { version, mode }, source };
    }
  const source = replacement === undefined ? "no DaemonSet, no static pod, no k3s" : `${replacement} replaces it`;
  return { kubeProxy: NO_KUBE_PROXY, source };
}

/** Returns the mode: a configuration takes precedence over arguments, as in kube-proxy itself; the default is iptables. */
function findMode({ configs, nodeArguments }: KubeProxySources, containers: readonly ProxyContainer[]): string {
  const configured = configs.map((text) => proxyConfiguration.safeParse(parse(text)).data?.mode ?? "");
  const fromArguments = [...containers.map(({ argv }) => argv), ...nodeArguments].map(findModeArgument);
  return [...configured, ...fromArguments].find((mode) => mode !== undefined && mode !== "") ?? "iptables";
}

/** Returns the mode in `--proxy-mode=ipvs`, `--proxy-mode ipvs` or, of k3s and RKE2, `--kube-proxy-arg=proxy-mode=ipvs`. */
function findModeArgument(argv: readonly string[]): string | undefined {
  return /(?:^|[\s=-])proxy-mode[=\s](\w+)/.exec(argv.join(" "))?.[1];
}

function parseVersion(image: string | undefined): string | undefined {
  return /:(v\d+\.\d+\.\d+)/.exec(image ?? "")?.[1];
}
