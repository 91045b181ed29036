import { parse, stringify } from "yaml";
import { z } from "zod";
import type { KubeProxy, KubeProxyMode } from "../spec/kube-proxy.ts";
import type { IpFamily } from "../spec/address-ranges.ts";
import { parseMinor } from "../spec/version-skew.ts";

const GATE = "NFTablesProxyMode";

const proxyConfiguration = z.looseObject({
  mode: z.string().optional(),
  featureGates: z.record(z.string(), z.boolean()).nullish(),
  iptables: z.looseObject({}).nullish(),
});

/** Returns the mode of a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1). The default on Linux is iptables. */
export function parseMode(config: string): KubeProxyMode {
  return proxyConfiguration.parse(parse(config)).mode === "nftables" ? "nftables" : "iptables";
}

/** Returns a configuration for another kube-proxy. @throws if its version does not have its mode */
export function adaptConfig(config: string, to: KubeProxy): string {
  const { featureGates, ...otherFields } = proxyConfiguration.parse(parse(config));
  // kube-proxy does not start with an unknown feature gate.
  const otherGates = Object.entries(featureGates ?? {}).filter(([name]) => name !== GATE);
  const gates = Object.fromEntries([...otherGates, ...listNftablesGates(to)]);
  return stringify({
    ...otherFields,
    mode: to.mode,
    ...(Object.keys(gates).length === 0 ? {} : { featureGates: gates }),
  });
}

/**
 * Returns a configuration with a minimum time between two syncs of iptables rules, which clusters with many endpoints set.
 *
 * @param period `iptables.minSyncPeriod`, like `10s`; kube-proxy's default is 1s
 */
export function renderMinSyncPeriod(config: string, period: string): string {
  const { iptables, ...otherFields } = proxyConfiguration.parse(parse(config));
  return stringify({ ...otherFields, iptables: { ...iptables, minSyncPeriod: period } });
}

/** Returns the arguments with which the program of a kube-proxy removes the rules that it wrote. */
export function listCleanupArguments(from: KubeProxy): readonly string[] {
  const gate = listNftablesGates(from).map(([name, value]) => `--feature-gates=${name}=${String(value)}`);
  return ["--cleanup", ...gate];
}

/** Returns the feature gates of nftables mode: required in v1.29 and v1.30, not later (KEP-3866). @throws before v1.29 */
function listNftablesGates({ version, mode }: KubeProxy): readonly (readonly [string, boolean])[] {
  if (mode !== "nftables") return [];
  const minor = parseMinor(version);
  if (minor < 29) throw new Error(`kube-proxy ${version} has no nftables mode: use v1.29 or later`);
  return minor < 31 ? [[GATE, true]] : [];
}

/** Whether kube-proxy has written its rules since it started, according to its metrics. */
export function hasSynced(metrics: string): boolean {
  return readSyncTime(metrics) > 0;
}

/**
 * Whether kube-proxy has written all changes, according to its metrics: the last sync is later than the last change, and that change is
 * old enough. (A change during a sync is older than the sync's end, but not part of it.)
 *
 * @param now seconds since 1970
 * @param seconds minimum age of the last change
 */
export function hasSettled(metrics: string, now: number, seconds: number): boolean {
  const changed = readGauge(metrics, "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds");
  return hasSynced(metrics) && now - changed >= seconds && changed < readSyncTime(metrics);
}

const readSyncTime = (metrics: string): number =>
  readGauge(metrics, "kubeproxy_sync_proxy_rules_last_timestamp_seconds");

/** Returns the value of a gauge, the first one if it has labels; 0 if it is missing. */
function readGauge(metrics: string, name: string): number {
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(metrics)?.[1] ?? 0);
}

/** Returns the command that lists kube-proxy's rules for Services of a family. */
export function listRulesCommand(mode: KubeProxyMode, family: IpFamily): readonly string[] {
  if (mode === "nftables") return ["nft", "list", "chain", family === "ipv4" ? "ip" : "ip6", "kube-proxy", "services"];
  return [family === "ipv4" ? "iptables-save" : "ip6tables-save", "-t", "nat"];
}

/**
 * Whether a list of rules contains a whole sync. With iptables, the last rule of KUBE-SERVICES is written together with the
 * others by one iptables-restore, after the chains. With nftables, one transaction writes the table and its rules.
 */
export function hasServiceRules(mode: KubeProxyMode, listing: string): boolean {
  return mode === "nftables" ? /\bvmap\b/.test(listing) : /^-A KUBE-SERVICES .*-j KUBE-NODEPORTS$/m.test(listing);
}
