import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const TIMEOUT_MS = 2000;

/** What kube-proxy is on this node, by its own word and by its rules. The node's `kubeProxyVersion` is not to be trusted. */
export interface KubeProxyState {
  readonly version: string | null;
  readonly mode: "iptables" | "nftables" | "ipvs" | null;
  /** The rule that drops what conntrack calls INVALID is in the packet filter now. */
  readonly invalidDropRule: boolean;
}

/** metricsBindAddress's default; hostNetwork, so loopback is the node's. */
const METRICS = "http://127.0.0.1:10249";

export async function observeKubeProxy(): Promise<KubeProxyState> {
  const [metrics, mode, rules] = await Promise.all([
    text(`${METRICS}/metrics`),
    text(`${METRICS}/proxyMode`),
    filterRules(),
  ]);
  return { version: versionIn(metrics), mode: modeOf(mode), invalidDropRule: hasInvalidDrop(rules) };
}

/** `kubernetes_build_info{…git_version="v1.29.15"…} 1` */
export function versionIn(metrics: string): string | null {
  return /^kubernetes_build_info\{[^}]*git_version="([^"]+)"/m.exec(metrics)?.[1] ?? null;
}

function modeOf(text: string): KubeProxyState["mode"] {
  return (["iptables", "nftables", "ipvs"] as const).find((mode) => mode === text.trim()) ?? null;
}

/** iptables mode: `-A KUBE-FORWARD … --ctstate INVALID -j DROP`; nftables mode: `ct state invalid drop` in its table. */
export function hasInvalidDrop(rules: string): boolean {
  return rules
    .split("\n")
    .some(
      (line) => /^-A KUBE-FORWARD .*--ctstate INVALID .*-j DROP/.test(line) || /^\s*ct state invalid .*drop/.test(line),
    );
}

/** The filter table in iptables' words (both backends) and kube-proxy's nftables table. */
async function filterRules(): Promise<string> {
  const commands: readonly (readonly [string, readonly string[]])[] = [
    ["iptables-save", ["-t", "filter"]],
    ["iptables-legacy-save", ["-t", "filter"]],
    ["nft", ["list", "table", "ip", "kube-proxy"]],
  ];
  const outputs = await Promise.all(
    commands.map(([file, argv]) =>
      run(file, [...argv], { maxBuffer: 1 << 28 }).then(
        ({ stdout }) => stdout,
        () => "",
      ),
    ),
  );
  return outputs.join("\n");
}

async function text(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok ? await response.text() : "";
  } catch {
    return ""; // not there, or being restarted: seen again on the next pass
  }
}
