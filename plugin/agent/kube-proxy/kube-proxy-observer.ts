import type { Filters } from "./packet-filters.ts";

const TIMEOUT_MS = 2000;

/** kube-proxy's state on this node, by its metrics and its rules. The Node's `kubeProxyVersion` is not reliable. */
export interface KubeProxyState {
  readonly version: string | null;
  readonly mode: "iptables" | "nftables" | "ipvs" | null;
  /** The rule that drops what conntrack calls INVALID is in the packet filter now. */
  readonly invalidDropRule: boolean;
}

export interface KubeProxyObservation extends KubeProxyState {
  /** Where the version comes from. */
  readonly source: string;
  /** Packets that the rule has dropped; undefined if the rule is missing or has no counter. */
  readonly invalidDrops: number | undefined;
}

/** metricsBindAddress's default; hostNetwork, so loopback is the node's. */
const METRICS = "http://127.0.0.1:10249";

/** kube-proxy's metrics are read again after this time, in milliseconds, or when its rules or image changed. */
const REFRESH_MS = 60_000;

/** Reads the rules in every pass, and kube-proxy's long metrics only after a change. */
export class KubeProxyObserver {
  #asked = { at: Number.NEGATIVE_INFINITY, reason: "" };
  #own: Pick<KubeProxyObservation, "version" | "mode"> = { version: null, mode: null };

  /** @param image of the kube-proxy pod on this node, for when it does not answer */
  async observe({ saved, kubeProxy }: Filters, image?: string): Promise<KubeProxyObservation> {
    const iptables = Object.values(saved).join("\n");
    const drop = findInvalidDrop(`${iptables}\n${kubeProxy}`);
    // After a restart in another mode the chains differ; the image and the rule may be the same.
    const chains = [iptables.includes("KUBE-FORWARD"), kubeProxy !== ""];
    const reason = JSON.stringify([image, drop.invalidDropRule, ...chains]);
    const now = performance.now();
    const known = this.#own.version !== null && this.#own.mode !== null;
    if (!known || reason !== this.#asked.reason || now - this.#asked.at > REFRESH_MS) {
      const [metrics, mode] = await Promise.all([fetchText(`${METRICS}/metrics`), fetchText(`${METRICS}/proxyMode`)]);
      this.#own = { version: parseVersion(metrics), mode: parseMode(mode) };
      this.#asked = { at: now, reason };
    }
    const byImage = parseImageVersion(image);
    return {
      version: this.#own.version ?? byImage,
      source: this.#own.version !== null ? "its metrics" : byImage === null ? "nothing says it" : "the pod's image",
      mode: this.#own.mode,
      ...drop,
    };
  }
}

/** `kubernetes_build_info{…git_version="v1.29.15"…} 1` */
export function parseVersion(metrics: string): string | null {
  return /^kubernetes_build_info\{[^}]*git_version="([^"]+)"/m.exec(metrics)?.[1] ?? null;
}

export function parseImageVersion(image = ""): string | null {
  return /:(v\d+\.\d+\.\d+[^@]*)/.exec(image)?.[1] ?? null;
}

function parseMode(text: string): KubeProxyState["mode"] {
  return (["iptables", "nftables", "ipvs"] as const).find((mode) => mode === text.trim()) ?? null;
}

/** iptables mode: `[5:300] -A KUBE-FORWARD … --ctstate INVALID -j DROP`; nftables mode: `ct state invalid … drop`. */
export function findInvalidDrop(rules: string): Pick<KubeProxyObservation, "invalidDropRule" | "invalidDrops"> {
  for (const line of rules.split("\n")) {
    const iptables = /^(?:\[(\d+):\d+\] )?-A KUBE-FORWARD .*--ctstate INVALID .*-j DROP/.exec(line);
    if (iptables !== null)
      return { invalidDropRule: true, invalidDrops: iptables[1] === undefined ? undefined : Number(iptables[1]) };
    const nftables = /^\s*ct state invalid (?:counter packets (\d+) .*)?drop/.exec(line);
    if (nftables !== null)
      return { invalidDropRule: true, invalidDrops: nftables[1] === undefined ? undefined : Number(nftables[1]) };
  }
  return { invalidDropRule: false, invalidDrops: undefined };
}

async function fetchText(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok ? await response.text() : "";
  } catch {
    return ""; // not there, or being restarted: seen again on the next pass
  }
}
