import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSIONS } from "../../clusters/components/catalog.ts";
import { runCommand, runOrThrow } from "../../clusters/components/run-command.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";

export const CHART = join(import.meta.dirname, "..", "..", "plugin", "deploy", "chart");
const RELEASE = "interlay";

/** Returns the path of Helm's executable; the first call on a machine builds it, which takes minutes. */
export async function resolveHelm(): Promise<string> {
  const components = await resolveComponents([{ name: "helm", version: VERSIONS.helm }], createPlainProgress());
  return components.path("helm");
}

/** Splits an image reference with a tag into the chart's values. */
export function splitReference(reference: string): { readonly repository: string; readonly tag: string } {
  const colon = reference.lastIndexOf(":");
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** Runs Helm for one cluster, with a home directory of its own. */
export class Helm {
  readonly #executable: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #home: string;

  private constructor(executable: string, { kubeconfig }: Cluster, home: string) {
    this.#executable = executable;
    this.#home = home;
    const directories = ["CACHE", "CONFIG", "DATA"].map((name) => [`HELM_${name}_HOME`, join(home, name)]);
    this.#env = { KUBECONFIG: kubeconfig, ...(Object.fromEntries(directories) as Record<string, string>) };
  }

  static async create(cluster: Cluster): Promise<Helm> {
    return new Helm(await resolveHelm(), cluster, await mkdtemp(join(tmpdir(), "interlay-helm-")));
  }

  /** Runs `helm VERB interlay plugin/deploy/chart …`, as in docs/install.md, with a file of values. */
  async deploy(verb: "install" | "upgrade", values: unknown, ...flags: readonly string[]): Promise<string> {
    const file = join(this.#home, "values.yaml"); // JSON is YAML
    await writeFile(file, JSON.stringify(values));
    return this.#run([verb, RELEASE, CHART, "--namespace", SYSTEM_NAMESPACE, "--values", file, ...flags]);
  }

  /** Runs `helm test`, and returns what Helm prints. */
  test(): Promise<string> {
    return this.#run(["test", RELEASE, "--namespace", SYSTEM_NAMESPACE, "--timeout", "3m"]);
  }

  uninstall(): Promise<string> {
    return this.#run(["uninstall", RELEASE, "--namespace", SYSTEM_NAMESPACE]);
  }

  /** Returns the names and states of all releases. */
  async listReleases(): Promise<readonly string[]> {
    const list = JSON.parse(await this.#run(["list", "--all-namespaces", "--output", "json"])) as readonly {
      readonly name: string;
      readonly status: string;
    }[];
    return list.map(({ name, status }) => `${name}: ${status}`);
  }

  /** Returns the error of Helm for values that the chart must reject. */
  async readRenderError(namespace: string, ...flags: readonly string[]): Promise<string> {
    // Without a cluster, Helm assumes the version of Kubernetes that it was built with.
    const version = ["--kube-version", VERSIONS.kubernetes];
    const argv = ["template", RELEASE, CHART, "--namespace", namespace, ...version, ...flags];
    const { exitCode, stderr } = await runCommand([this.#executable, ...argv], { env: this.#env });
    return exitCode === 0 ? "" : stderr;
  }

  async close(): Promise<void> {
    await rm(this.#home, { recursive: true, force: true });
  }

  #run(argv: readonly string[]): Promise<string> {
    return runOrThrow([this.#executable, ...argv], { env: this.#env });
  }
}
