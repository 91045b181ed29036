import type { Environment } from "../../spec/environment.ts";

export const MASQUERADE_ALL: Environment = {
  name: "masquerade-all",
  title: "kube-proxy with masqueradeAll",
  realClusters: "Kubespray's kube_proxy_masquerade_all and other clusters with --masquerade-all",
  changes: "kube-proxy masquerades every connection to a Service",
  spec: { kubeProxy: { config: { iptables: { masqueradeAll: true } } } },
  providers: ["kind", "lab"],
  impossible: [],
};
