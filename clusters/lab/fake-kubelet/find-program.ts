import type { Mount } from "../machines/nsenter.ts";

interface Program {
  /** Command of a container without `command`. */
  readonly entrypoint: readonly string[];
  /** Files of the image that the machine does not have. */
  readonly mounts: readonly Mount[];
}

const createMount = (source: string, target: string): Mount => ({ kind: "none", source, target });

/**
 * Returns the program that a container with this image runs. The lab cannot run images; every machine has the programs of
 * the images that the project's manifests name, in /programs.
 *
 * @throws for an image without such a program
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
          createMount("/usr/bin/true", "/install_multus"), // the plugin is on every machine
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
      throw new Error(`the lab cannot run the image ${image}: it runs only programs of the project`);
  }
}

function splitTag(image: string): readonly [string, string] {
  const colon = image.lastIndexOf(":");
  return colon > image.lastIndexOf("/") ? [image.slice(0, colon), image.slice(colon + 1)] : [image, "latest"];
}
