import type { Finding } from "./finding.ts";
import type { ClusterSnapshot, NodeSnapshot } from "./node-snapshot.ts";

const FROM_PLUGINS =
  "Install the reference plugins (github.com/containernetworking/plugins) there, or set the chart's value cniPlugins.enabled.";

/** Finds problems of a node that prevent its runtime from calling Multus and the plugins of Interlay's networks. */
export function checkPlugins(node: NodeSnapshot, cluster: ClusterSnapshot | undefined): readonly Finding[] {
  const createFinding = (check: string, message: string, remedy: string): Finding => ({
    check,
    severity: "start",
    node: node.node,
    message,
    remedy,
    cells: [],
  });
  return [...checkMultus(node, createFinding), ...checkInstalled(node, cluster, createFinding)];
}

type CreateFinding = (check: string, message: string, remedy: string) => Finding;

function checkMultus(
  { node, cniConfigs, cniDirectory, multusElsewhere, multusIsolation }: NodeSnapshot,
  createFinding: CreateFinding,
) {
  if (cniConfigs === null) return [];
  const first = findFirstConfig(cniConfigs);
  if (!/multus/i.test(first ?? ""))
    return [
      createFinding(
        "multus-missing",
        first === undefined
          ? `${cniDirectory} of ${node} has no configuration, so none of Multus: pods cannot start there.`
          : `The first configuration in ${cniDirectory} of ${node} is ${first} and not Multus's: pods there get the overlay alone.`,
        multusElsewhere === undefined
          ? "Install Multus, or see why its DaemonSet has no pod on this node, and which file comes before its own."
          : `Multus has its configuration in ${multusElsewhere}, which the runtime does not read: install it for ${cniDirectory}.`,
      ),
    ];
  return multusIsolation
    ? [
        createFinding(
          "multus-isolation",
          `Multus on ${node} has namespaceIsolation, so it refuses networks of namespace interlay-system to pods of other namespaces.`,
          "Add interlay-system to globalNamespaces in the configuration of Multus, or set spec.namespace of the UnderlayNetworks to the pods' namespace.",
        ),
      ]
    : [];
}

function checkInstalled(
  { node, plugins }: NodeSnapshot,
  cluster: ClusterSnapshot | undefined,
  createFinding: CreateFinding,
) {
  if (plugins === undefined) return [];
  if (plugins.onlyInterlay)
    return [
      createFinding(
        "plugin-directory",
        `The plugin directory of the agent on ${node} has no plugin of other software: the container runtime uses another directory, and does not find interlay there.`,
        "Install with --detect, or name the runtime's directory (bin_dir of containerd, plugin_dirs of CRI-O) with --cni-bin-dir or the chart's value cniBinDir.",
      ),
    ];
  const needsPortmap = cluster?.networks?.some(({ interlay }) => interlay) === true;
  return plugins.missing
    .filter((name) => name !== "portmap" || needsPortmap)
    .map((name) =>
      name.startsWith("interlay")
        ? createFinding(
            "plugin-missing",
            `The plugin ${name} is not in the runtime's plugin directory of ${node}: no pod of Interlay's networks starts there.`,
            "The agent installs it when it starts: see its log, and what removed the file.",
          )
        : createFinding(
            "plugin-missing",
            `The reference plugin ${name} is not in the runtime's plugin directory of ${node}: no pod of Interlay's networks starts there.`,
            FROM_PLUGINS,
          ),
    );
}

/** Returns the file that the container runtime uses: the first configuration by name. */
function findFirstConfig(names: readonly string[]): string | undefined {
  return names.filter((name) => /\.(conf|conflist|json)$/.test(name)).sort()[0];
}
