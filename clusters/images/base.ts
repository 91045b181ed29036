import { ensureDebianPackages } from "../components/packages.ts";
import { hashContent } from "../components/cache.ts";
import { runTimed } from "../components/timed.ts";
import type { Progress } from "../progress/progress.ts";
import { runDebootstrap, findMachineMirror } from "./debian.ts";
import type { Layer, LayerCache } from "./layer.ts";

/** Programs that pods call, and tools for the analysis of failed cells. */
const POD_PACKAGES = [
  "ca-certificates",
  "conntrack",
  "ethtool",
  "ipset",
  "iproute2",
  "iptables",
  "iputils-ping",
  "kmod",
  "nftables",
  "procps",
  "tcpdump",
];

/** Packages that kind requires of a node, and the packages of pods. */
const NODE_PACKAGES = [
  ...POD_PACKAGES,
  "containerd",
  "curl",
  "dbus",
  "ebtables",
  "libseccomp2",
  "mount",
  "runc",
  "socat",
  "systemd",
  "systemd-sysv",
  "util-linux",
];

/** Programs that the specs of Kubernetes call in their pods: HTTP clients and a server, netcat, name resolution. */
const TEST_PACKAGES = [...POD_PACKAGES, "bind9-dnsutils", "curl", "netcat-openbsd", "nginx", "wget"];

/** Version of the debootstrap call; part of the cache's key. */
const RECIPE = 1;

/** Returns the Debian root of images that need more than one static program. */
export function buildPodRoot(layers: LayerCache, progress: Progress): Promise<Layer> {
  return buildDebianRoot("pod", POD_PACKAGES, layers, progress);
}

/** Returns the Debian root of images of other projects' test pods. */
export function buildTestRoot(layers: LayerCache, progress: Progress): Promise<Layer> {
  return buildDebianRoot("test", TEST_PACKAGES, layers, progress);
}

/** Returns the Debian root of node images. */
export function buildNodeRoot(layers: LayerCache, progress: Progress): Promise<Layer> {
  return buildDebianRoot("node", NODE_PACKAGES, layers, progress);
}

async function buildDebianRoot(
  name: string,
  packages: readonly string[],
  layers: LayerCache,
  progress: Progress,
): Promise<Layer> {
  const key = `debian-${name}-${hashContent(RECIPE, packages)}`;
  const cached = await layers.find(key);
  if (cached !== undefined) return cached;
  await ensureDebianPackages(["debootstrap"], progress);
  return runTimed(progress, `debootstrap the ${name} root filesystem`, async () => {
    const mirror = await findMachineMirror();
    return layers.ensure(key, "kept", (tree) => runDebootstrap(tree, packages, mirror));
  });
}
