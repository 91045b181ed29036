import { chmod, copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashContent } from "../components/cache.ts";
import { runOrThrow } from "../components/run-command.ts";
import type { ResolvedComponents } from "../components/resolve.ts";
import { createContentTag, type Image } from "./archive.ts";
import { identifyFile, type Layer, type LayerCache, identifyTree } from "./layer.ts";

const files = join(import.meta.dirname, "files", "node");
const KUBERNETES = ["kubeadm", "kubelet", "kubectl"] as const;

/** Units that are enabled, by the links that `systemctl enable` would create. */
const ENABLED = ["containerd.service", "kubelet.service"];

/**
 * Builds the image of a node as kind requires it: systemd as init, containerd, kubeadm, kubelet and kubectl, `/kind/version`,
 * manifests, and an entrypoint that prepares mounts and cgroups. Like kindest/node, but without images: nodes share them
 * (store.ts).
 */
export async function buildNodeImage(
  components: ResolvedComponents,
  kubernetes: string,
  root: Layer,
  layers: LayerCache,
): Promise<Image> {
  const identities = await Promise.all(KUBERNETES.map((name) => identifyFile(components.path(name, kubernetes))));
  const plugins = components.path("cni-plugins");
  const key = `node-${hashContent(identities, await identifyTree(files), await identifyFile(plugins))}`;
  const layer = await layers.ensure(key, "root", async (tree) => {
    await cp(files, tree, { recursive: true });
    await mkdir(join(tree, "usr/bin"), { recursive: true });
    for (const name of KUBERNETES) {
      await copyFile(components.path(name, kubernetes), join(tree, "usr/bin", name));
      await chmod(join(tree, "usr/bin", name), 0o755);
    }
    await cp(plugins, join(tree, "opt/cni/bin"), { recursive: true });
    await writeFile(join(tree, "kind/version"), kubernetes);
    const wants = join(tree, "etc/systemd/system/multi-user.target.wants");
    await mkdir(wants, { recursive: true });
    for (const unit of ENABLED) await runOrThrow(["ln", "-s", `/etc/systemd/system/${unit}`, join(wants, unit)]);
  });
  const image = {
    layers: [root, layer],
    config: {
      Entrypoint: ["/usr/local/bin/entrypoint", "/sbin/init"],
      Env: ["container=docker"],
      StopSignal: "SIGRTMIN+3", // systemd's "halt", systemd(1)
    },
  };
  return { ...image, reference: `interlay.dev/node:${kubernetes}-${createContentTag(image)}` };
}
