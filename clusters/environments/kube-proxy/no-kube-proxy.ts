import type { Environment, EnvironmentCell } from "../../spec/environment.ts";

/** Addresses that only kube-proxy translates. */
const TRANSLATED = new Set(["service", "node-port", "api-server", "external-ip", "load-balancer", "vip", "dns-name"]);

export const NO_KUBE_PROXY_ENVIRONMENT: Environment = {
  name: "no-kube-proxy",
  title: "no kube-proxy",
  realClusters: "clusters made with --skip-phases=addon/kube-proxy whose replacement does not run",
  changes: "kube-proxy does not run; the components of the cluster use the API server's own address",
  spec: { kubeProxy: { installed: false } },
  providers: ["lab"],
  impossible: [
    {
      cells: ({ to }: EnvironmentCell) => TRANSLATED.has(to.kind),
      reason: "no kube-proxy runs, so nothing translates the addresses of Services",
      condition: { type: "ServicesReady", reason: "NoServiceRules" },
    },
  ],
};
