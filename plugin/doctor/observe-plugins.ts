import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { NodeSnapshot } from "./node-snapshot.ts";

/** Possible directories of a container runtime's network configuration, those of distributions first. */
const CONFIG_DIRECTORIES = [
  "/var/lib/rancher/k3s/agent/etc/cni/net.d",
  "/var/snap/microk8s/current/args/cni-network",
  "/etc/kubernetes/cni/net.d",
  "/etc/cni/net.d",
];
/** Paths of the runtime's plugin directory, in the agent's pod and on the node. */
const PLUGIN_DIRECTORIES = ["/host/opt/cni/bin", "/opt/cni/bin"];
/** Plugins that Interlay's networks use. */
const NEEDED = ["interlay", "interlay-ipam", "macvlan", "portmap"];
/** File of thick Multus's daemon, whose plugin has no options. */
const DAEMON_CONFIG = join("multus.d", "daemon-config.json");

/** The options of Multus that limit networks of other namespaces. */
const multusOptions = z.object({
  namespaceIsolation: z.boolean().default(false),
  globalNamespaces: z.string().default("default"),
});

type PluginSnapshot = Pick<
  NodeSnapshot,
  "cniConfigs" | "cniDirectory" | "multusElsewhere" | "multusIsolation" | "plugins"
>;

/**
 * Reads the configuration of the node's container runtime and of Multus, and the installed plugins.
 * @param roots root directories to search: in the agent's pod the node's files are below the root of process 1
 * @param pluginDirectories possible paths of the runtime's plugin directory
 */
export function observePlugins(
  roots: readonly string[] = ["/proc/1/root", "/"],
  pluginDirectories: readonly string[] = PLUGIN_DIRECTORIES,
): PluginSnapshot {
  const directories = roots.flatMap((root) =>
    CONFIG_DIRECTORIES.flatMap((directory) => {
      const files = listFiles(join(root, directory));
      return files === null ? [] : [{ root, directory, files }];
    }),
  );
  const used = directories.find(({ files }) => files.length > 0) ?? directories[0];
  const multusDirectory = directories.find(
    ({ root, directory, files }) =>
      root === used?.root && directory !== used.directory && files.some((file) => /multus.*\.conf/i.test(file)),
  );
  return {
    cniConfigs: used === undefined ? null : [...used.files],
    cniDirectory: used?.directory ?? "/etc/cni/net.d",
    ...(multusDirectory === undefined ? {} : { multusElsewhere: multusDirectory.directory }),
    multusIsolation: used !== undefined && isolatesNamespaces(join(used.root, used.directory), used.files),
    plugins: readPlugins(pluginDirectories),
  };
}

/** Reports whether Multus refuses networks of namespace interlay-system to pods of other namespaces. */
function isolatesNamespaces(directory: string, files: readonly string[]): boolean {
  const first = files.filter((file) => /multus.*\.conf/i.test(file)).sort()[0];
  return [first, DAEMON_CONFIG].some((file) => {
    if (file === undefined) return false;
    const options = multusOptions.safeParse(readJson(join(directory, file)));
    return (
      options.success &&
      options.data.namespaceIsolation &&
      !options.data.globalNamespaces.split(",").some((name) => name.trim() === "interlay-system")
    );
  });
}

/** Returns the missing plugins, and whether only Interlay's are installed; undefined if the directory cannot be read. */
function readPlugins(directories: readonly string[]): NodeSnapshot["plugins"] {
  const isForeign = (name: string): boolean => !name.startsWith("interlay");
  const lists = directories.flatMap((directory) => {
    const files = listFiles(directory);
    return files === null ? [] : [files];
  });
  // A node of a lab has both directories, one of them with Interlay's plugins only.
  const files = lists.find((names) => names.some(isForeign)) ?? lists[0];
  if (files === undefined) return undefined;
  return {
    missing: NEEDED.filter((name) => !files.includes(name)),
    onlyInterlay: !files.some(isForeign),
  };
}

function listFiles(directory: string): readonly string[] | null {
  try {
    return readdirSync(directory);
  } catch {
    return null;
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as unknown;
  } catch {
    return undefined;
  }
}
