import type { Mount } from "../nsenter.ts";

export interface Program {
  /** What the container runs if its pod does not say. */
  readonly entrypoint: readonly string[];
  /** Files that the image has and the machine has not. */
  readonly mounts: readonly Mount[];
}

const createMount = (source: string, target: string): Mount => ({ kind: "none", source, target });

/**
 * The program of the project that an image reference stands for; programs lie in /programs on every machine. Throws for
 * an image that the lab has no program for: it runs no images.
 */
export function findProgram(image: string): Program {
  const [repository, tag] = splitTag(image);
  switch (repository.slice(repository.lastIndexOf("/") + 1)) {
    case "kube-proxy":
      return { entrypoint: [`/programs/kube-proxy-${tag}`], mounts: [] };
    case "node":
      return { entrypoint: ["/programs/calico-files/start_runit"], mounts: [] };
    case "cni":
      return { entrypoint: [], mounts: [createMount("/programs/lab/calico-install", "/opt/cni/bin/install")] };
    case "kube-controllers":
      return { entrypoint: ["/programs/kube-controllers"], mounts: [] };
    case "multus-cni":
      if (tag.endsWith("-thick"))
        return {
          entrypoint: [],
          mounts: ["multus-daemon", "multus-shim"].map((name) =>
            createMount(`/programs/${name}`, `/usr/src/multus-cni/bin/${name}`),
          ),
        };
      return {
        entrypoint: [],
        mounts: [
          createMount("/usr/bin/true", "/install_multus"), // it is on a lab's machine from its start
          createMount("/programs/multus-files/thin_entrypoint", "/thin_entrypoint"),
        ],
      };
    case "flannel":
      return { entrypoint: [], mounts: [createMount("/programs/lab/flanneld", "/opt/bin/flanneld")] };
    case "k8s-dns-node-cache":
      return { entrypoint: ["/programs/lab/node-cache"], mounts: [] };
    case "coredns":
      return { entrypoint: ["/programs/coredns"], mounts: [] };
    case "interlay":
      return { entrypoint: ["/programs/interlay"], mounts: [] };
    case "probe":
      return { entrypoint: ["/usr/local/bin/probe"], mounts: [] };
    default:
      throw new Error(`The lab runs no images, and has no program of its own for ${image}.`);
  }
}

function splitTag(image: string): readonly [string, string] {
  const colon = image.lastIndexOf(":");
  return colon > image.lastIndexOf("/") ? [image.slice(0, colon), image.slice(colon + 1)] : [image, "latest"];
}
