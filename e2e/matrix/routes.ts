import type { Cluster } from "../../clusters/provider/provider.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { podName } from "../pods/suite-pods.ts";
import type { PodType } from "../../results/schema.ts";
import type { IpFamily } from "../../clusters/spec/address-ranges.ts";

/**
 * Returns the lines that `ip route` must show in a pod (docs/architecture.md, "Datapath contract"): routes to the pod's own node, and
 * through it to the overlay and the Services.
 * @param node address of the pod's node
 * @param pod address of the pod on its link to the node
 */
export function listDocumentedRoutes(
  type: Exclude<PodType, "overlay">,
  node: string,
  pod: string,
  { overlayCidr, serviceCidr }: Pick<Cluster["spec"], "overlayCidr" | "serviceCidr">,
): readonly string[] {
  const device = type === "underlay" ? "veth0" : "eth0";
  return [
    `${node} dev ${device} src ${pod}`,
    `${overlayCidr} via ${node} dev ${device} src ${pod}`,
    `${serviceCidr} via ${node} dev ${device} src ${pod}`,
  ];
}

/** Returns the lines of `ip route` without the attributes that the kernel adds. */
export function parsePlainRoutes(output: string): readonly string[] {
  return output
    .split("\n")
    .map((line) =>
      line
        .replaceAll(/ (?:proto|scope|metric|pref) \S+| onlink/g, "")
        .replaceAll(/\s+/g, " ")
        .trim(),
    )
    .filter((line) => line !== "");
}

interface PodRoutes {
  readonly pod: string;
  readonly family: IpFamily;
  readonly expected: readonly string[];
}

/** Returns the routes that every underlay and multi-NIC pod of the deployment must have. */
export function listExpectedRoutes(cluster: Cluster, deployment: Deployment): readonly PodRoutes[] {
  return deployment.workers.flatMap((worker, index) =>
    (["underlay", "multi-nic"] as const).flatMap((type) =>
      (["a", "b"] as const).flatMap((role) => {
        const pod = podName(type, index, role);
        const { address = "", address6 = "" } = cluster.nodes.find(({ name }) => name === worker) ?? {};
        return deployment.families.map((family) => {
          const usesIpv6Ranges = family === "ipv6" && cluster.spec.ipv6 !== undefined;
          const [node, ranges] = usesIpv6Ranges ? [address6, cluster.spec.ipv6] : [address, cluster.spec];
          const podAddress = deployment.getAddress(pod, "main", family);
          return { pod, family, expected: listDocumentedRoutes(type, node, podAddress, ranges) };
        });
      }),
    ),
  );
}
