import type { Finding } from "./finding.ts";
import type { ClusterSnapshot, NodeSnapshot } from "./node-snapshot.ts";

/** Finds problems of the cluster's own objects, and nodes whose agent does not answer. */
export function checkCluster(cluster: ClusterSnapshot, nodes: readonly NodeSnapshot[]): readonly Finding[] {
  const createFinding = (
    check: string,
    severity: Finding["severity"],
    message: string,
    remedy: string,
    node = "",
  ): Finding => ({
    check,
    severity,
    node,
    message,
    remedy,
    cells: [],
  });
  const findings: Finding[] = cluster.problems.map((problem) =>
    createFinding(
      "facts-sources",
      "warning",
      problem,
      "Correct the source that is wrong, or override it in ConfigMap interlay-config.",
    ),
  );
  for (const { name } of cluster.nodes)
    if (!nodes.some(({ node }) => node === name))
      findings.push(
        createFinding(
          "agent-missing",
          "warning",
          `The agent of ${name} did not answer: nothing is put back there, and its state is not known.`,
          `kubectl -n interlay-system get pods -o wide --field-selector spec.nodeName=${name}`,
          name,
        ),
      );
  if (cluster.readyControllers === 0)
    findings.push(
      createFinding(
        "controller-missing",
        "warning",
        "No replica of the controller is ready: pools have no current status, no NetworkAttachmentDefinition is written, and addresses of deleted nodes are kept.",
        "kubectl -n interlay-system describe deployment interlay-controller",
      ),
    );
  if (cluster.networks === undefined)
    return [
      ...findings,
      createFinding(
        "multus-missing",
        "start",
        "The kind NetworkAttachmentDefinition does not exist: no underlay or multi-NIC pod can be created.",
        "Install Multus.",
      ),
    ];
  const interlayNetworks = cluster.networks.filter(({ interlay }) => interlay);
  if (interlayNetworks.length === 0)
    findings.push(
      createFinding(
        "network-definition-missing",
        "start",
        "No NetworkAttachmentDefinition has the plugin interlay: no pod gets an underlay link.",
        "Make an UnderlayNetwork: the controller writes its definition.",
      ),
    );
  for (const { pod, node, networks } of cluster.waiting)
    for (const network of networks)
      if (!cluster.networks.some(({ name }) => name === network))
        findings.push(
          createFinding(
            "network-definition-missing",
            "start",
            `${pod} requests the network ${network}, which does not exist: it does not start.`,
            `Make the UnderlayNetwork, or correct the pod's annotation.`,
            node,
          ),
        );
  return findings;
}
