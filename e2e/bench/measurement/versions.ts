import { findEtcdVersion, VERSIONS } from "../../../clusters/components/catalog.ts";
import { $ } from "zx";
import { readSuiteVersion } from "../../support/suite-version.ts";
import packageJson from "../../../package.json" with { type: "json" };

type Component = "kubernetes" | "calico" | "multus" | "cni-plugins" | "etcd" | "kind" | "whereabouts";

/** Components of every lab; cni-plugins contains the reference macvlan. */
export const LAB_PARTS: readonly Component[] = ["kubernetes", "calico", "multus", "cni-plugins", "etcd"];

/** Parts of a bench in addition to Interlay, Node.js and the kernel. */
export interface BenchParts {
  readonly components: readonly Component[];
  /** Versions of kube-proxy, if it is used. */
  readonly kubeProxies?: readonly string[];
  /** Debian packages of the measuring programs. */
  readonly tools?: readonly string[];
}

/** Versions recorded in a bench's JSON file. */
export async function readVersions({
  components,
  kubeProxies = [],
  tools = [],
}: BenchParts): Promise<Readonly<Record<string, string>>> {
  const debian = await Promise.all(
    tools.map(
      async (name) => [name, (await $({ nothrow: true })`dpkg-query -W -f ${"${Version}"} ${name}`).stdout] as const,
    ),
  );
  const findVersion = (name: Component): string =>
    name === "etcd" ? findEtcdVersion(VERSIONS.kubernetes) : VERSIONS[name];
  return {
    interlay: packageJson.version,
    commit: await readCommit(),
    node: process.version,
    ...Object.fromEntries(components.map((name) => [name, findVersion(name)])),
    ...(kubeProxies.length === 0 ? {} : { "kube-proxy": kubeProxies.join(", ") }),
    ...Object.fromEntries(debian),
  };
}

/** Returns the commit, and whether files other than results differ from it. */
async function readCommit(): Promise<string> {
  const { commit, modified } = await readSuiteVersion();
  if (commit === undefined) return "none: a copy without history";
  return `${commit.slice(0, 12)}${modified === true ? ", with changes" : ""}`;
}
