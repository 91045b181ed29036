import { parse, stringify } from "yaml";
import { z } from "zod";
import type { KubeProxy, KubeProxyMode } from "../provider.ts";

const GATE = "NFTablesProxyMode";

const proxyConfiguration = z.looseObject({
  mode: z.string().optional(),
  featureGates: z.record(z.string(), z.boolean()).nullish(),
});

/** The mode in a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1); an empty one is iptables on Linux. */
export function modeOf(config: string): KubeProxyMode {
  return proxyConfiguration.parse(parse(config)).mode === "nftables" ? "nftables" : "iptables";
}

/** `config`, changed to what `to` must run with. Throws if that version has no such mode. */
export function configFor(config: string, to: KubeProxy): string {
  const { featureGates, ...rest } = proxyConfiguration.parse(parse(config));
  // Gates that this version does not know would stop it.
  const others = Object.entries(featureGates ?? {}).filter(([name]) => name !== GATE);
  const gates = Object.fromEntries([...others, ...nftablesGate(to)]);
  return stringify({ ...rest, mode: to.mode, ...(Object.keys(gates).length === 0 ? {} : { featureGates: gates }) });
}

/** Arguments of `kube-proxy --cleanup` with which it takes out the rules that `from` made. */
export function cleanupArguments(from: KubeProxy): readonly string[] {
  const gate = nftablesGate(from).map(([name, value]) => `--feature-gates=${name}=${String(value)}`);
  return ["--cleanup", ...gate];
}

/** nftables mode: none before v1.29, behind a feature gate in v1.29 and v1.30, then there (KEP-3866). */
function nftablesGate({ version, mode }: KubeProxy): readonly (readonly [string, boolean])[] {
  if (mode !== "nftables") return [];
  const minor = Number(/^v1\.(\d+)\./.exec(version)?.[1]);
  if (minor < 29) throw new Error(`kube-proxy ${version} has no nftables mode: it came with v1.29.`);
  return minor < 31 ? [[GATE, true]] : [];
}

/** Whether kube-proxy's metrics say that it has written its rules since it started. */
export function hasSynced(metrics: string): boolean {
  const value = /^kubeproxy_sync_proxy_rules_last_timestamp_seconds(?:\{[^}]*\})? (\S+)$/m.exec(metrics)?.[1];
  return Number(value ?? 0) > 0;
}
