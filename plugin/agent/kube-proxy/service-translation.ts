import type { Family } from "../../datapath/address.ts";

/** Mechanism of kube-proxy that translates Service addresses on a node. */
type ServiceTranslator = "iptables" | "nftables" | "ipvs";

export interface ServicesInput {
  /** Families that have a Service network. */
  readonly families: readonly Family[];
  /** Translator of each family; a family without rules is missing. */
  readonly translators: Readonly<Partial<Record<Family, ServiceTranslator>>>;
  /** Whether FelixConfiguration default has bpfEnabled. */
  readonly calicoBpf: boolean;
  /** Data of ConfigMap kube-system/cilium-config. */
  readonly cilium: Readonly<Record<string, string>> | undefined;
  /** Release of the kernel, such as 6.1.0-13-amd64. */
  readonly kernel: string;
  /** Whether kube-proxy answers on its metrics address. */
  readonly kubeProxyAnswers: boolean;
  /** Network of kube-proxy's clusterCIDR that contains the node's own address. */
  readonly networkOverUnderlay?: string | undefined;
  /** Networks that clusterCIDR should contain. */
  readonly overlayCidrs: readonly string[];
}

/** Whether Services are translated for packets from underlay pods; the condition ServicesReady. */
export interface ServicesState {
  readonly ready: boolean;
  /** CamelCase, for the condition. */
  readonly reason: string;
  readonly message: string;
}

/** Reason of the condition before the packet filter has been read. */
export const NOT_OBSERVED = "NotObserved";

const INSTALL_KUBE_PROXY = "run kube-proxy on this node in iptables, nftables or ipvs mode";

/**
 * Decides whether Services are translated, by the rules in the kernel and by the configuration of eBPF data planes. These
 * translate only for their own links, so not for packets that enter by an underlay pod's pair. Pure.
 */
export function decideServices(input: ServicesInput): ServicesState {
  const replacement = input.cilium?.["kube-proxy-replacement"];
  if (input.calicoBpf)
    return {
      ready: false,
      reason: "CalicoEBPF",
      message: `FelixConfiguration default has bpfEnabled: Calico's eBPF data plane does not translate Services for underlay pods; set bpfEnabled: false and ${INSTALL_KUBE_PROXY}.`,
    };
  if (replacement === "true" || replacement === "strict")
    return {
      ready: false,
      reason: "CiliumKubeProxyReplacement",
      message: `cilium-config has kube-proxy-replacement: ${replacement}: Cilium does not translate Services for underlay pods; set it to false and ${INSTALL_KUBE_PROXY}.`,
    };
  const missing = input.families.filter((family) => input.translators[family] === undefined);
  if (missing.length > 0)
    return {
      ready: false,
      reason: "NoServiceRules",
      message: `No rules of kube-proxy are in this node's kernel (${missing.join(", ")}): no Service is reached from underlay pods; ${INSTALL_KUBE_PROXY}.`,
    };
  if (input.networkOverUnderlay !== undefined)
    return {
      ready: false,
      reason: "ClusterCIDRCoversUnderlay",
      message: `kube-proxy's clusterCIDR ${input.networkOverUnderlay} contains this node's address, so kube-proxy takes clients from the underlay for pods: a NodePort with externalTrafficPolicy Local sends them to endpoints of other nodes, whose answers do not come back; set clusterCIDR to ${input.overlayCidrs.join(",") || '""'} in ConfigMap kube-system/kube-proxy and restart kube-proxy.`,
    };
  const modes = [...new Set(input.families.map((family) => input.translators[family]))].join(", ");
  const limit = isOlderThan57(input.kernel)
    ? `Linux ${input.kernel} is older than 5.7, where nftables cannot masquerade by the incoming link`
    : modes.includes("ipvs")
      ? "IPVS does not mark what it translates"
      : undefined;
  if (limit !== undefined)
    return {
      ready: true,
      reason: "KubeProxyMasquerades",
      message: `kube-proxy's rules are in the kernel (${modes}). ${limit}: from underlay pods, Services with endpoints on other nodes need kube-proxy's clusterCIDR without the underlay, or masqueradeAll.`,
    };
  return input.kubeProxyAnswers
    ? { ready: true, reason: "RulesPresent", message: `kube-proxy's rules are in the kernel (${modes}).` }
    : {
        ready: true,
        reason: "KubeProxySilent",
        message: `kube-proxy's rules are in the kernel (${modes}), but kube-proxy does not answer on 127.0.0.1:10249: see whether it runs, for rules that nobody renews become wrong.`,
      };
}

/** nftables matches the incoming link at postrouting since Linux 5.7 (commit 28f8bfd1ac94). */
function isOlderThan57(release: string): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  return major < 5 || (major === 5 && minor < 7);
}
