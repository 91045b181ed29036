import type { Filters } from "./packet-filters.ts";

const TIMEOUT_MS = 2000;

/** kube-proxy's state on this node, by its metrics and its rules. The Node's `kubeProxyVersion` is not reliable. */
export interface KubeProxyState {
  readonly version: string | null;
  readonly mode: "iptables" | "nftables" | "ipvs" | null;
  /** Whether kube-proxy's rule that drops INVALID packets is in the packet filter. */
  readonly invalidDropRule: boolean;
}

export interface KubeProxyObservation extends KubeProxyState {
  /** Source of the version. */
  readonly source: string;
  /** Packets that the rule has dropped; undefined if the rule is missing or has no counter. */
  readonly invalidDrops: number | undefined;
}

/** Default of metricsBindAddress; the agent uses the host's network, so this is the node's loopback. */
const METRICS = "http://127.0.0.1:10249";

/** kube-proxy's metrics are read again after this time, in milliseconds, or when its rules or image changed. */
const REFRESH_MS = 60_000;

/** Observes kube-proxy: parses its rules in every pass, and reads its long metrics only after a change. */
export class KubeProxyObserver {
  #lastRead = { at: Number.NEGATIVE_INFINITY, reason: "" };
  #reported: Pick<KubeProxyObservation, "version" | "mode"> = { version: null, mode: null };

  /** @param image image of this node's kube-proxy pod, from which the version is read if kube-proxy does not answer */
  async observe({ saved, kubeProxy }: Filters, image?: string): Promise<KubeProxyObservation> {
    const iptables = Object.values(saved).join("\n");
    const drop = findInvalidDrop(`${iptables}\n${kubeProxy}`);
    // After a restart in another mode the chains differ even if the image and the rule are the same.
    const chains = [iptables.includes("KUBE-FORWARD"), kubeProxy !== ""];
    const reason = JSON.stringify([image, drop.invalidDropRule, ...chains]);
    const now = performance.now();
    const isComplete = this.#reported.version !== null && this.#reported.mode !== null;
    if (!isComplete || reason !== this.#lastRead.reason || now - this.#lastRead.at > REFRESH_MS) {
      const [metrics, mode] = await Promise.all([fetchText(`${METRICS}/metrics`), fetchText(`${METRICS}/proxyMode`)]);
      this.#reported = { version: parseVersion(metrics), mode: parseMode(mode) };
      this.#lastRead = { at: now, reason };
    }
    const byImage = parseImageVersion(image);
    return {
      version: this.#reported.version ?? byImage,
      source:
        this.#reported.version !== null ? "its metrics" : byImage === null ? "nothing says it" : "the pod's image",
      mode: this.#reported.mode,
      ...drop,
    };
  }
}

/** Parses the version from `kubernetes_build_info{…git_version="v1.29.15"…} 1`; null if it is missing. */
export function parseVersion(metrics: string): string | null {
  return /^kubernetes_build_info\{[^}]*git_version="([^"]+)"/m.exec(metrics)?.[1] ?? null;
}

/** Parses the version from the tag of an image; null if the tag is not a version. */
export function parseImageVersion(image = ""): string | null {
  return /:(v\d+\.\d+\.\d+[^@]*)/.exec(image)?.[1] ?? null;
}

function parseMode(text: string): KubeProxyState["mode"] {
  return (["iptables", "nftables", "ipvs"] as const).find((mode) => mode === text.trim()) ?? null;
}

/** Finds `[5:300] -A KUBE-FORWARD … --ctstate INVALID -j DROP` (iptables mode) or `ct state invalid … drop` (nftables mode). */
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
    return ""; // kube-proxy is missing or restarts: the next pass tries again
  }
}
