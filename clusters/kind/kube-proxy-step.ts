import type { DockerEngine } from "../docker/engine.ts";
import { formatKubeProxyImage } from "../images/pod-images.ts";
import {
  readKubeProxy,
  hasKubeProxySettings,
  type KubeProxyHosts,
  switchKubeProxy,
} from "../kubernetes/switch-kube-proxy.ts";
import type { ClusterNode } from "../provider/provider.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { listFamilies } from "../spec/address-ranges.ts";
import { listNodes } from "./list-nodes.ts";
import type { Step } from "./step.ts";

/** Switches to the kube-proxy of the spec if another one runs: that of kind, or of an earlier run. */
export const kubeProxyStep: Step = {
  title: ({ spec }) => `switch kube-proxy to ${spec.kubeProxy.version} (${spec.kubeProxy.mode})`,
  async isDone({ kubectl, spec }) {
    const { version, mode } = await readKubeProxy(kubectl);
    return (
      version === spec.kubeProxy.version &&
      mode === spec.kubeProxy.mode &&
      (await hasKubeProxySettings(kubectl, spec.environment?.spec.kubeProxy))
    );
  },
  do: async ({ engine, kubectl, spec }) =>
    switchKubeProxy(
      createKindKubeProxyHosts(engine, spec, await listNodes(engine, spec.name)),
      kubectl,
      spec.kubeProxy,
    ),
};

/** Returns kind's nodes as hosts of kube-proxy. The program of a version is in its image. */
export function createKindKubeProxyHosts(
  engine: DockerEngine,
  spec: ClusterSpec,
  nodes: readonly ClusterNode[],
): KubeProxyHosts {
  return {
    nodes,
    families: listFamilies(spec),
    settings: spec.environment?.spec.kubeProxy,
    exec: (node, argv) => engine.docker(["exec", node, ...argv]),
    runKubeProxy: (node, version, args) =>
      engine.docker([
        "exec",
        node,
        "ctr",
        "--namespace",
        "k8s.io",
        "run",
        "--rm",
        "--net-host",
        "--privileged",
        formatKubeProxyImage(version),
        "interlay-kube-proxy-cleanup",
        "kube-proxy",
        ...args,
      ]),
  };
}
