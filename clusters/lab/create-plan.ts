import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Executables } from "../../plugin/deploy/build-executables.ts";
import { type ComponentName, type ComponentRef, findEtcdVersion, VERSIONS } from "../components/catalog.ts";
import type { ResolvedComponents } from "../components/resolve.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { planMachines } from "./machines/machine-addresses.ts";
import type { LabPlan } from "./plan/lab-plan.ts";

const KUBERNETES_PROGRAMS = ["kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
const CALICO_PROGRAMS = ["calico-node", "calico-cni", "calico-kube-controllers", "calico-crds"] as const;
const OTHER_PROGRAMS = ["multus", "cni-plugins", "coredns"] as const;

/** Returns the components that a lab needs. */
export function listComponents(spec: ClusterSpec): readonly ComponentRef[] {
  return [
    ...KUBERNETES_PROGRAMS.map((name) => ({ name, version: spec.kubernetes })),
    ...listKubeProxyVersions(spec).map((version) => ({ name: "kube-proxy" as const, version })),
    ...CALICO_PROGRAMS.map((name) => ({ name, version: VERSIONS.calico })),
    ...OTHER_PROGRAMS.map((name) => ({ name, version: VERSIONS[name] })),
    ...listEnvironmentPrograms(spec),
    { name: "etcd", version: findEtcdVersion(spec.kubernetes) },
  ];
}

/** Returns the programs that an environment needs in addition to those of every lab. */
function listEnvironmentPrograms({ environment }: ClusterSpec): readonly ComponentRef[] {
  const { overlay, multus } = environment?.spec ?? {};
  return [
    ...(overlay?.kind === "flannel" ? [{ name: "flannel" as const, version: VERSIONS.flannel }] : []),
    ...(multus === "thick"
      ? (["multus-daemon", "multus-shim"] as const).map((name) => ({ name, version: VERSIONS.multus }))
      : []),
  ];
}

function listKubeProxyVersions(spec: ClusterSpec): readonly string[] {
  return [...new Set([spec.kubeProxy, ...spec.kubeProxies].map(({ version }) => version))].sort();
}

/** Returns the plan of a lab. Its port is 0: the port is chosen when the lab is created. */
export async function createPlan(
  spec: ClusterSpec,
  components: ResolvedComponents,
  interlay: Executables,
): Promise<LabPlan> {
  return {
    kubernetes: spec.kubernetes,
    overlayCidr: spec.overlayCidr,
    serviceCidr: spec.serviceCidr,
    ...(spec.ipv6 === undefined ? {} : { overlayCidr6: spec.ipv6.overlayCidr, serviceCidr6: spec.ipv6.serviceCidr }),
    machines: planMachines(spec),
    ...(spec.environment === undefined ? {} : { environment: spec.environment.spec }),
    programs: listPrograms(spec, components, interlay),
    images: {
      interlay: `interlay.dev/interlay:${await hashFiles([interlay.launcher, interlay.full])}`,
      probe: `interlay.dev/probe:${await hashFiles([spec.probe])}`,
    },
    port: 0,
  };
}

/** Returns the host paths of the programs that machines have in /programs, by name. */
function listPrograms(
  spec: ClusterSpec,
  components: ResolvedComponents,
  interlay: Executables,
): Readonly<Record<string, string>> {
  const getPath = (name: ComponentName) => components.path(name);
  const imageFiles = join(import.meta.dirname, "..", "images", "files");
  const kubeProxies = listKubeProxyVersions(spec).map(
    (version) => [`kube-proxy-${version}`, components.path("kube-proxy", version)] as const,
  );
  const environmentPrograms = listEnvironmentPrograms(spec).map(({ name }) => [name, getPath(name)] as const);
  return {
    ...Object.fromEntries(kubeProxies),
    etcd: getPath("etcd"),
    "kube-apiserver": getPath("kube-apiserver"),
    "kube-controller-manager": getPath("kube-controller-manager"),
    "kube-scheduler": getPath("kube-scheduler"),
    "calico-node": getPath("calico-node"),
    calico: getPath("calico-cni"),
    "calico-ipam": getPath("calico-cni"),
    "kube-controllers": getPath("calico-kube-controllers"),
    multus: getPath("multus"),
    "cni-plugins": getPath("cni-plugins"),
    coredns: getPath("coredns"),
    ...Object.fromEntries(environmentPrograms),
    "calico-files": dirname(join(imageFiles, "calico-node/usr/sbin/start_runit")),
    "multus-files": join(imageFiles, "multus"),
    lab: join(import.meta.dirname, "files"),
    node: process.execPath,
    "probe-worker.ts": join(import.meta.dirname, "fake-kubelet", "probes", "probe-worker.ts"),
    interlay: interlay.launcher,
    "interlay-full": interlay.full,
    probe: spec.probe,
  };
}

async function hashFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(await readFile(path));
  return hash.digest("hex").slice(0, 12);
}
