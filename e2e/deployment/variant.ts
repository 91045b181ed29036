import { CoreV1Api, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { loadKubeConfig } from "../../clusters/kubernetes/load-kube-config.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { Eventually } from "../harness.ts";
import { listFamilies, type IpFamily } from "../../clusters/spec/address-ranges.ts";
import { getEnvironment } from "../cells/get-environment.ts";
import type { Variant } from "../cells/gate.ts";
import { readNodeStates } from "./node-states.ts";
import { CONFIG_MAP, SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";

/**
 * Switches the cluster to a variant: first the return path, until every agent reports it, then kube-proxy, which reads the sysctl
 * when it starts.
 */
export async function switchVariant(cluster: Cluster, variant: Variant): Promise<void> {
  const chosenReturnPath = getEnvironment(variant).spec.chosenReturnPath;
  await configureAgents(
    cluster,
    { returnPath: chosenReturnPath === undefined ? variant.returnPath : "auto" },
    variant.returnPath,
  );
  await cluster.switchKubeProxy(variant.kubeProxy);
}

/**
 * Sets keys of ConfigMap interlay-config (null removes a key), and waits until every agent has read them.
 * @param mode the return path that every agent must report, if it is not the setting
 */
export async function configureAgents(
  cluster: Cluster,
  data: Readonly<Record<string, string | null>>,
  mode: string | null | undefined = data["returnPath"],
): Promise<void> {
  const config = loadKubeConfig(cluster);
  const configMap = await config
    .makeApiClient(CoreV1Api)
    .patchNamespacedConfigMap(
      { namespace: SYSTEM_NAMESPACE, name: CONFIG_MAP, body: { data } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
  const version = configMap.metadata?.resourceVersion ?? "";
  await Eventually(
    `${JSON.stringify(data)} on every node`,
    async () =>
      (await readNodeStates(config)).map(({ metadata, status }) => ({ node: metadata.name, ...status?.returnPath })),
    (states) =>
      cluster.nodes.every(({ name }) =>
        states.some(
          (state) =>
            state.node === name &&
            state.applied === true &&
            ([undefined, null, "auto"].includes(mode) || state.mode === mode) &&
            state.configResourceVersion === version,
        ),
      ),
    { timeout: 60_000 },
  );
}

/** Returns whether each node's agent reports an open gate; agents without a report are left out. */
export async function readAgentGates(cluster: Cluster): Promise<ReadonlyMap<string, boolean>> {
  const items = await readNodeStates(loadKubeConfig(cluster));
  return new Map(
    items.flatMap(({ metadata, status }) => (status?.gate ? [[metadata.name, status.gate.open] as const] : [])),
  );
}

/** State of a node's kernel that decides about INVALID packets. */
export interface NodeFilter {
  readonly node: string;
  readonly tcpBeLiberal: 0 | 1;
  /** kube-proxy's rule with its packet counter, for each family of the cluster; undefined if it does not exist. */
  readonly invalidDrop: Readonly<Partial<Record<IpFamily, CountedRule | undefined>>>;
}

interface CountedRule {
  readonly rule: string;
  /** Undefined in nftables mode, whose rule has no counter. */
  readonly packets: number | undefined;
}

/** Reads the sysctl and kube-proxy's INVALID rule of every node. */
export async function readAllFilters(
  cluster: Pick<Cluster, "nodes" | "spec" | "exec">,
  mode: Variant["kubeProxy"]["mode"],
): Promise<readonly NodeFilter[]> {
  const families = listFamilies(cluster.spec);
  return Promise.all(
    cluster.nodes.map(async ({ name }) => {
      const [sysctl, ...rules] = await Promise.all([
        cluster.exec(name, ["cat", "/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal"]),
        ...families.map(async (family) => {
          const listings = await Promise.all(
            listRuleCommands(mode, family).map(async (argv) => (await cluster.exec(name, argv)).stdout),
          );
          const find = mode === "nftables" ? findInvalidDropInNft : findInvalidDropInIptables;
          return [family, listings.map(find).find((rule) => rule !== undefined)] as const;
        }),
      ]);
      return {
        node: name,
        tcpBeLiberal: sysctl.stdout.trim() === "1" ? 1 : 0,
        invalidDrop: Object.fromEntries(rules),
      };
    }),
  );
}

/**
 * Lists the commands that print kube-proxy's rules. Its image chooses one of iptables' backends; `iptables-save` prints the
 * rules of only one, often nft. The legacy program would create a missing table, so it runs only if the kernel lists the table.
 */
function listRuleCommands(mode: Variant["kubeProxy"]["mode"], family: IpFamily): readonly (readonly string[])[] {
  const prefix = family === "ipv4" ? "ip" : "ip6";
  if (mode === "nftables") return [["nft", "list", "table", prefix, "kube-proxy"]];
  const legacyCommand = `grep -qx filter /proc/net/${prefix}_tables_names && exec ${prefix}tables-legacy-save -c -t filter`;
  return [
    [`${prefix}tables-save`, "-c", "-t", "filter"],
    ["sh", "-c", legacyCommand],
  ];
}

/** Finds a line like `[12:720] -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP`. */
function findInvalidDropInIptables(saved: string): CountedRule | undefined {
  const match = /^\[(\d+):\d+\] (-A KUBE-FORWARD .*--ctstate INVALID .*-j DROP)$/m.exec(saved);
  return match?.[2] === undefined ? undefined : { rule: match[2], packets: Number(match[1]) };
}

/** Returns the rule of nftables mode, which has no counter. */
function findInvalidDropInNft(listing: string): CountedRule | undefined {
  const match = /^\s*(ct state invalid drop.*)$/m.exec(listing);
  return match?.[1] === undefined ? undefined : { rule: match[1], packets: undefined };
}
