import { parseMinor } from "../spec/version-skew.ts";
import { CALICO_VERSION, createCalicoModule } from "./calico-module.ts";
import { CONTROL_PLANE, createKubernetesModule, TEST_COMMANDS, TEST_PROGRAM } from "./kubernetes-module.ts";
import type { GoModule } from "./module.ts";

/** Components of clusters. */
export type ComponentName =
  | "kubeadm"
  | "kubelet"
  | "kubectl"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kube-proxy"
  | "calico-node"
  | "calico-cni"
  | "calico-kube-controllers"
  | "calico-crds"
  | "multus"
  | "multus-daemon"
  | "multus-shim"
  | "flannel"
  | "cni-plugins"
  | "cnitool"
  | "helm"
  | "kind"
  | "etcd"
  | "coredns"
  | "e2e.test"
  | "ginkgo"
  | "agnhost"
  | "cyclonus"
  | "sonobuoy"
  | "whereabouts"
  | "whereabouts-pools-crd"
  | "whereabouts-reservations-crd"
  | "crane";

export interface ComponentRef {
  readonly name: ComponentName;
  /** e.g. `v1.29.15` */
  readonly version: string;
}

/** An official release and its checksum. */
export interface OfficialRelease {
  readonly url: string;
  /** File with the SHA-256, alone or in `sha256sum` lines. */
  readonly checksumUrl: string;
  /** Path in the tar archive, "" for the whole archive; undefined: the release is the executable itself. */
  readonly member?: string;
}

/** How to build or download a component, and the path of its file in the result. */
export interface Recipe {
  readonly ref: ComponentRef;
  readonly module: GoModule;
  /** Path in the module's output directory, "" for the directory itself; undefined: a file of the module's source. */
  readonly output?: string;
  /** Path of a file in the module's source, like Calico's CRDs. */
  readonly sourceFile?: string;
  readonly release?: OfficialRelease;
  /** Arguments with which the program prints its version; undefined: a program on PATH is not used. */
  readonly versionArguments?: readonly string[];
}

/** Version of each component that the suite uses by default. */
export const VERSIONS = {
  kubernetes: "v1.29.15",
  calico: CALICO_VERSION,
  multus: "v4.2.2",
  flannel: "v0.27.4",
  "cni-plugins": "v1.9.1",
  cnitool: "v1.3.0",
  helm: "v3.18.4",
  kind: "v0.33.0",
  coredns: "v1.11.1",
  cyclonus: "v0.5.6",
  sonobuoy: "v0.57.3",
  whereabouts: "v0.9.2",
  crane: "v0.22.1",
} as const;

/** First minor version of Kubernetes that gets etcd 3.6: kubeadm v1.37 uses a flag that 3.5 does not have (--feature-gates). */
const FIRST_WITH_ETCD_3_6 = 35;

/** Returns the etcd version for a Kubernetes version. */
export function findEtcdVersion(kubernetes: string): string {
  return parseMinor(kubernetes) < FIRST_WITH_ETCD_3_6 ? "v3.5.16" : "v3.6.16";
}

const MULTUS = "gopkg.in/k8snetworkplumbingwg/multus-cni.v4";
const WHEREABOUTS = "github.com/k8snetworkplumbingwg/whereabouts";
const FLANNEL = "github.com/flannel-io/flannel";
type KubernetesName = (typeof CONTROL_PLANE)[number];

/** Returns the components of a kind cluster with these versions. */
export function listKindComponents(kubernetes: string, kubeProxies: readonly string[]): readonly ComponentRef[] {
  const proxies = [...new Set([kubernetes, ...kubeProxies])];
  return [
    ...CONTROL_PLANE.filter((name) => name !== "kube-proxy").map((name) => ({ name, version: kubernetes })),
    ...proxies.map((version) => ({ name: "kube-proxy" as const, version })),
    ...(["calico-node", "calico-cni", "calico-kube-controllers", "calico-crds"] as const).map((name) => ({
      name,
      version: VERSIONS.calico,
    })),
    ...(["multus", "cni-plugins", "kind", "coredns"] as const).map((name) => ({ name, version: VERSIONS[name] })),
    { name: "etcd", version: findEtcdVersion(kubernetes) },
  ];
}

/**
 * Returns the recipe of a component.
 *
 * @param completeVersions the run needs every command of CONTROL_PLANE in these Kubernetes versions. One `go build` builds all
 * commands of a version, in half the time of single builds.
 */
export function findRecipe(ref: ComponentRef, completeVersions: ReadonlySet<string>): Recipe {
  const { name, version } = ref;
  switch (name) {
    case "calico-node":
      return { ref, module: createCalicoModule(version), output: "calico-node" };
    case "calico-cni":
      return { ref, module: createCalicoModule(version), output: "calico" };
    case "calico-kube-controllers":
      return { ref, module: createCalicoModule(version), output: "kube-controllers" };
    case "calico-crds":
      return { ref, module: createCalicoModule(version), sourceFile: "manifests/crds.yaml" };
    case "multus":
      return { ref, module: createModule(MULTUS, version, ["cmd/multus"]), output: "multus" };
    case "multus-daemon":
    case "multus-shim":
      return { ref, module: createModule(MULTUS, version, ["cmd/multus-daemon", "cmd/multus-shim"]), output: name };
    case "flannel":
      return {
        ref,
        module: { ...createModule(FLANNEL, version, [""]), replaces: "own", cgo: true },
        output: "flannel",
      };
    case "cni-plugins":
      return {
        ref,
        module: createModule("github.com/containernetworking/plugins", version, ["plugins/..."]),
        output: "",
        release: createRelease(
          "containernetworking/plugins",
          version,
          `cni-plugins-linux-amd64-${version}.tgz`,
          "sha256",
          "",
        ),
      };
    case "cnitool":
      return {
        ref,
        module: createModule("github.com/containernetworking/cni", version, ["cnitool"]),
        output: "cnitool",
      };
    case "helm": {
      const url = `https://get.helm.sh/helm-${version}-linux-amd64.tar.gz`;
      return {
        ref,
        module: {
          ...createModule("helm.sh/helm/v3", version, ["cmd/helm"]),
          variables: { "helm.sh/helm/v3/internal/version.version": version },
        },
        output: "helm",
        release: { url, checksumUrl: `${url}.sha256sum`, member: "linux-amd64/helm" },
        versionArguments: ["version", "--template", "{{.Version}}"],
      };
    }
    case "kind":
      return {
        ref,
        module: createModule("sigs.k8s.io/kind", version, [""]),
        output: "kind",
        release: createRelease("kubernetes-sigs/kind", version, "kind-linux-amd64", "sha256sum"),
        versionArguments: ["version"],
      };
    case "etcd":
      return {
        ref,
        module: createModule("go.etcd.io/etcd/server/v3", version, [""]),
        output: "server", // go names a command after the element before a version suffix
        release: {
          url: `https://github.com/etcd-io/etcd/releases/download/${version}/etcd-${version}-linux-amd64.tar.gz`,
          checksumUrl: `https://github.com/etcd-io/etcd/releases/download/${version}/SHA256SUMS`,
          member: `etcd-${version}-linux-amd64/etcd`,
        },
      };
    case "coredns":
      return {
        ref,
        module: createModule("github.com/coredns/coredns", version, [""]),
        output: "coredns",
        release: createRelease(
          "coredns/coredns",
          version,
          `coredns_${version.slice(1)}_linux_amd64.tgz`,
          "sha256",
          "coredns",
        ),
      };
    case "cyclonus":
      return { ref, module: createModule("github.com/mattfenwick/cyclonus", version, ["cmd/cyclonus"]), output: name };
    case "sonobuoy":
      return { ref, module: createModule("github.com/vmware-tanzu/sonobuoy", version, [""]), output: name };
    case "whereabouts":
      return { ref, module: createModule(WHEREABOUTS, version, ["cmd"]), output: "cmd" };
    case "whereabouts-pools-crd":
    case "whereabouts-reservations-crd": {
      const plural = name === "whereabouts-pools-crd" ? "ippools" : "overlappingrangeipreservations";
      const sourceFile = `doc/crds/whereabouts.cni.cncf.io_${plural}.yaml`;
      return { ref, module: createModule(WHEREABOUTS, version, ["cmd"]), sourceFile };
    }
    case "crane": {
      const module = createModule("github.com/google/go-containerregistry", version, ["cmd/crane"]);
      return { ref, module, output: name };
    }
    case "e2e.test":
      return { ref, module: createKubernetesModule(version, TEST_PROGRAM), output: name };
    case "ginkgo":
    case "agnhost":
      return { ref, module: createKubernetesModule(version, TEST_COMMANDS), output: name };
    default:
      return createKubernetesRecipe(name, version, completeVersions);
  }
}

function createKubernetesRecipe(name: KubernetesName, version: string, completeVersions: ReadonlySet<string>): Recipe {
  const url = `https://dl.k8s.io/release/${version}/bin/linux/amd64/${name}`;
  const packages = (completeVersions.has(version) ? CONTROL_PLANE : [name]).map((command) => `cmd/${command}`);
  return {
    ref: { name, version },
    module: createKubernetesModule(version, { packages }),
    output: name,
    release: { url, checksumUrl: `${url}.sha256` },
    ...(name === "kubeadm"
      ? { versionArguments: ["version", "-o", "short"] }
      : name === "kubectl"
        ? { versionArguments: ["version", "--client"] }
        : { versionArguments: ["--version"] }),
  };
}

/** Returns an asset of a GitHub release with the checksum file `FILE.EXTENSION`. @param member see OfficialRelease */
function createRelease(
  repository: string,
  version: string,
  file: string,
  extension: string,
  member?: string,
): OfficialRelease {
  const url = `https://github.com/${repository}/releases/download/${version}/${file}`;
  return { url, checksumUrl: `${url}.${extension}`, ...(member === undefined ? {} : { member }) };
}

function createModule(path: string, version: string, packages: readonly string[]): GoModule {
  return { path, version, packages, variables: {}, replaces: "none" };
}
