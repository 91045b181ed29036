import { ensureDebianPackages } from "../components/packages.ts";
import { hashContent } from "../components/cache.ts";
import { runTimed } from "../components/timed.ts";
import type { Progress } from "../progress.ts";
import { runDebootstrap, findMachineMirror } from "./debian.ts";
import type { Layer, LayerCache } from "./layer.ts";

/** What programs in pods call: packet filters, routes, ping; and what one wants there when a cell is red. */
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

/** kind's contract for a node, and the same tools on the node itself. */
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

/** What the specs of Kubernetes call in their pods: HTTP clients and a server, netcat, name resolution. */
const TEST_PACKAGES = [...POD_PACKAGES, "bind9-dnsutils", "curl", "netcat-openbsd", "nginx", "wget"];

/** Bumped when debootstrap is called differently. */
const RECIPE = 1;

/** The Debian root that images with more than one static program stand on. */
export function buildPodRoot(layers: LayerCache, progress: Progress): Promise<Layer> {
  return buildDebianRoot("pod", POD_PACKAGES, layers, progress);
}

/** The Debian root that images of other projects' test pods stand on. */
export function buildTestRoot(layers: LayerCache, progress: Progress): Promise<Layer> {
  return buildDebianRoot("test", TEST_PACKAGES, layers, progress);
}

/** The Debian root of a node. */
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
  const found = await layers.find(key);
  if (found !== undefined) return found;
  await ensureDebianPackages(["debootstrap"], progress);
  return runTimed(progress, `debootstrap the ${name} root filesystem`, async () => {
    const mirror = await findMachineMirror();
    return layers.ensure(key, "kept", (tree) => runDebootstrap(tree, packages, mirror));
  });
}
