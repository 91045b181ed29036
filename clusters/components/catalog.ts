import { parseMinor } from "../kubernetes/version-skew.ts";
import { CONTROL_PLANE, createKubernetesModule, TEST_COMMANDS, TEST_PROGRAM } from "./kubernetes-module.ts";
import type { GoModule } from "./module.ts";

/** Every real program that a cluster is made of. */
const COMPONENT_NAMES = [
  "kubeadm",
  "kubelet",
  "kubectl",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "calico-node",
  "calico-cni",
  "calico-kube-controllers",
  "calico-crds",
  "multus",
  "multus-daemon",
  "multus-shim",
  "flannel",
  "cni-plugins",
  "cnitool",
  "helm",
  "kind",
  "etcd",
  "coredns",
  "e2e.test",
  "ginkgo",
  "agnhost",
  "cyclonus",
] as const;
export type ComponentName = (typeof COMPONENT_NAMES)[number];

export interface ComponentRef {
  readonly name: ComponentName;
  /** e.g. `v1.29.15` */
  readonly version: string;
}

/** Where the official release is, and where its SHA-256 is published. */
export interface OfficialRelease {
  readonly url: string;
  /** Holds the digest, alone or in `sha256sum` lines. */
  readonly checksumUrl: string;
  /** Path inside, if the release is a tar archive ("" is all of it); undefined if it is the executable itself. */
  readonly member?: string;
}

/** One thing to be had: how, and where it is then. */
export interface Recipe {
  readonly ref: ComponentRef;
  readonly module: GoModule;
  /** Inside the module's output directory; "" is the directory itself. Undefined: a file of the module's source. */
  readonly output?: string;
  /** A file of the module's own source (Calico's CRDs), below its root. */
  readonly sourceFile?: string;
  readonly release?: OfficialRelease;
  /** Arguments on which the program on PATH prints its version, if it can be used as it is. */
  readonly versionArguments?: readonly string[];
}

export const VERSIONS = {
  kubernetes: "v1.29.15",
  calico: "v3.28.5",
  multus: "v4.2.2",
  flannel: "v0.27.4",
  "cni-plugins": "v1.9.1",
  cnitool: "v1.3.0",
  helm: "v3.18.4",
  kind: "v0.33.0",
  coredns: "v1.11.1",
  cyclonus: "v0.5.6",
} as const;

/** kubeadm v1.37 starts etcd with a flag that 3.5 has not (--feature-gates); v1.34 has 3.6 as its own default. */
const FIRST_WITH_ETCD_3_6 = 35;

/** The etcd that a control plane of this version runs with. */
export function findEtcdVersion(kubernetes: string): string {
  return parseMinor(kubernetes) < FIRST_WITH_ETCD_3_6 ? "v3.5.16" : "v3.6.16";
}

/** The newest commit of Calico's v3.28 branch that the Go proxy knows as a module version. */
const CALICO_MODULE_VERSION = "v1.11.0-cni-plugin.0.20250813170300-a0db560f0520";
const CALICO = "github.com/projectcalico/calico";
const MULTUS = "gopkg.in/k8snetworkplumbingwg/multus-cni.v4";
const FLANNEL = "github.com/flannel-io/flannel";
/** As Calico's own makefiles set them; `main.VERSION` is that of each command. calico-node writes it into ClusterInformation. */
const CALICO_VERSION_VARIABLES = [
  "main.VERSION",
  `${CALICO}/node/pkg/lifecycle/startup.VERSION`,
  `${CALICO}/node/buildinfo.GitVersion`,
  `${CALICO}/felix/buildinfo.GitVersion`,
];
type KubernetesName = (typeof CONTROL_PLANE)[number];

/** What a run with these versions needs; kube-proxies that share the cluster's version come with it. */
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
 * How `ref` is had. `wholeControlPlane` names the Kubernetes versions of which everything is wanted: one `go build`
 * for all seven commands takes half the time of seven.
 */
export function findRecipe(ref: ComponentRef, wholeControlPlane: ReadonlySet<string> = new Set()): Recipe {
  const { name, version } = ref;
  switch (name) {
    case "calico-node":
      return { ref, module: calico(version), output: "calico-node" };
    case "calico-cni":
      return { ref, module: calico(version), output: "calico" };
    case "calico-kube-controllers":
      return { ref, module: calico(version), output: "kube-controllers" };
    case "calico-crds":
      return { ref, module: calico(version), sourceFile: "manifests/crds.yaml" };
    case "multus":
      return { ref, module: plain(MULTUS, version, ["cmd/multus"]), output: "multus" };
    case "multus-daemon":
    case "multus-shim":
      return { ref, module: plain(MULTUS, version, ["cmd/multus-daemon", "cmd/multus-shim"]), output: name };
    case "flannel":
      return { ref, module: { ...plain(FLANNEL, version, [""]), replaces: "own", cgo: true }, output: "flannel" };
    case "cni-plugins":
      return {
        ref,
        module: plain("github.com/containernetworking/plugins", version, ["plugins/..."]),
        output: "",
        release: github("containernetworking/plugins", version, `cni-plugins-linux-amd64-${version}.tgz`, "sha256", ""),
      };
    case "cnitool":
      return { ref, module: plain("github.com/containernetworking/cni", version, ["cnitool"]), output: "cnitool" };
    case "helm": {
      const url = `https://get.helm.sh/helm-${version}-linux-amd64.tar.gz`;
      return {
        ref,
        module: {
          ...plain("helm.sh/helm/v3", version, ["cmd/helm"]),
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
        module: plain("sigs.k8s.io/kind", version, [""]),
        output: "kind",
        release: github("kubernetes-sigs/kind", version, "kind-linux-amd64", "sha256sum"),
        versionArguments: ["version"],
      };
    case "etcd":
      return {
        ref,
        module: plain("go.etcd.io/etcd/server/v3", version, [""]),
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
        module: plain("github.com/coredns/coredns", version, [""]),
        output: "coredns",
        release: github("coredns/coredns", version, `coredns_${version.slice(1)}_linux_amd64.tgz`, "sha256", "coredns"),
      };
    case "cyclonus":
      return { ref, module: plain("github.com/mattfenwick/cyclonus", version, ["cmd/cyclonus"]), output: name };
    case "e2e.test":
      return { ref, module: createKubernetesModule(version, TEST_PROGRAM), output: name };
    case "ginkgo":
    case "agnhost":
      return { ref, module: createKubernetesModule(version, TEST_COMMANDS), output: name };
    default:
      return kubernetesRecipe(name, version, wholeControlPlane);
  }
}

function kubernetesRecipe(name: KubernetesName, version: string, whole: ReadonlySet<string>): Recipe {
  const url = `https://dl.k8s.io/release/${version}/bin/linux/amd64/${name}`;
  const packages = (whole.has(version) ? CONTROL_PLANE : [name]).map((command) => `cmd/${command}`);
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

function calico(version: string): GoModule {
  if (version !== VERSIONS.calico)
    throw new Error(
      `Calico ${version} cannot be built here: the Go proxy has ${VERSIONS.calico} alone as a module version`,
    );
  return {
    path: CALICO,
    version: CALICO_MODULE_VERSION,
    packages: ["node/cmd/calico-node", "cni-plugin/cmd/calico", "kube-controllers/cmd/kube-controllers"],
    variables: Object.fromEntries(CALICO_VERSION_VARIABLES.map((name) => [name, version])),
    replaces: "own",
    extraReplaces: {
      // The repository's own copy (a directory) is not part of the module; this is the version it was published as.
      "github.com/projectcalico/api": "github.com/projectcalico/api v0.0.0-20240708202104-e3f70b269c2c",
      "github.com/Microsoft/hcsshim": "github.com/Microsoft/hcsshim v0.11.7",
    },
  };
}

/** A release asset whose digest is published next to it as `FILE.EXTENSION`. */
function github(
  repository: string,
  version: string,
  file: string,
  extension: string,
  member?: string,
): OfficialRelease {
  const url = `https://github.com/${repository}/releases/download/${version}/${file}`;
  return { url, checksumUrl: `${url}.${extension}`, ...(member === undefined ? {} : { member }) };
}

function plain(path: string, version: string, packages: readonly string[]): GoModule {
  return { path, version, packages, variables: {}, replaces: "none" };
}
