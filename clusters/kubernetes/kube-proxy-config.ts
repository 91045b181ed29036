import { parse, stringify } from "yaml";
import { z } from "zod";
import type { KubeProxy, KubeProxyMode } from "../provider.ts";
import type { IpFamily } from "../spec.ts";
import { parseMinor } from "./version-skew.ts";

const GATE = "NFTablesProxyMode";

const proxyConfiguration = z.looseObject({
  mode: z.string().optional(),
  featureGates: z.record(z.string(), z.boolean()).nullish(),
  iptables: z.looseObject({}).nullish(),
});

/** The mode in a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1); an empty one is iptables on Linux. */
export function parseMode(config: string): KubeProxyMode {
  return proxyConfiguration.parse(parse(config)).mode === "nftables" ? "nftables" : "iptables";
}

/** `config`, changed to what `to` must run with. Throws if that version has no such mode. */
export function adaptConfig(config: string, to: KubeProxy): string {
  const { featureGates, ...rest } = proxyConfiguration.parse(parse(config));
  // Gates that this version does not know would stop it.
  const others = Object.entries(featureGates ?? {}).filter(([name]) => name !== GATE);
  const gates = Object.fromEntries([...others, ...listNftablesGates(to)]);
  return stringify({ ...rest, mode: to.mode, ...(Object.keys(gates).length === 0 ? {} : { featureGates: gates }) });
}

/**
 * `config` with a least time between two writings of iptables rules (`iptables.minSyncPeriod`, like `10s`; kube-proxy's own is 1s):
 * what clusters of many endpoints set, for each writing takes in all that came meanwhile.
 */
export function renderMinSyncPeriod(config: string, period: string): string {
  const { iptables, ...rest } = proxyConfiguration.parse(parse(config));
  return stringify({ ...rest, iptables: { ...iptables, minSyncPeriod: period } });
}

/** Arguments of `kube-proxy --cleanup` with which it takes out the rules that `from` made. */
export function listCleanupArguments(from: KubeProxy): readonly string[] {
  const gate = listNftablesGates(from).map(([name, value]) => `--feature-gates=${name}=${String(value)}`);
  return ["--cleanup", ...gate];
}

/** nftables mode: none before v1.29, behind a feature gate in v1.29 and v1.30, then there (KEP-3866). */
function listNftablesGates({ version, mode }: KubeProxy): readonly (readonly [string, boolean])[] {
  if (mode !== "nftables") return [];
  const minor = parseMinor(version);
  if (minor < 29) throw new Error(`kube-proxy ${version} has no nftables mode: it came with v1.29.`);
  return minor < 31 ? [[GATE, true]] : [];
}

/** Whether kube-proxy's metrics say that it has written its rules since it started. */
export function hasSynced(metrics: string): boolean {
  return readSyncTime(metrics) > 0;
}

/**
 * Whether they say that all it was told is in the kernel: it has written since the last change, which is at least so many seconds
 * old. (A change that comes while it writes is older than that writing's end, and not in it.) @param now seconds since 1970
 */
export function hasSettled(metrics: string, now: number, seconds: number): boolean {
  const changed = readGauge(metrics, "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds");
  return hasSynced(metrics) && now - changed >= seconds && changed < readSyncTime(metrics);
}

const readSyncTime = (metrics: string): number =>
  readGauge(metrics, "kubeproxy_sync_proxy_rules_last_timestamp_seconds");

/** A gauge's value, of the first family where it has that label; 0 where there is none. */
function readGauge(metrics: string, name: string): number {
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(metrics)?.[1] ?? 0);
}

/** The command that lists what kube-proxy writes for Services of a family. */
export function listRulesCommand(mode: KubeProxyMode, family: IpFamily): readonly string[] {
  if (mode === "nftables") return ["nft", "list", "chain", family === "ipv4" ? "ip" : "ip6", "kube-proxy", "services"];
  return [family === "ipv4" ? "iptables-save" : "ip6tables-save", "-t", "nat"];
}

/**
 * Whether such a listing shows a whole sync. iptables: the last rule of KUBE-SERVICES, which comes with the rest in one
 * iptables-restore; the chains alone are made before it. nftables: the table and all of it come in one transaction.
 */
export function hasServiceRules(mode: KubeProxyMode, listing: string): boolean {
  return mode === "nftables" ? /\bvmap\b/.test(listing) : /^-A KUBE-SERVICES .*-j KUBE-NODEPORTS$/m.test(listing);
}
