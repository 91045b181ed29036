import { switchKubeProxy } from "../kubernetes/switch-kube-proxy.ts";
import { readFile } from "node:fs/promises";
import { listClusterVersions } from "../addons/cluster-versions.ts";
import { runCommand } from "../components/run-command.ts";
import { createProgramStream } from "../external/program-stream.ts";
import { Kubectl } from "../kubernetes/kubectl.ts";
import type { Cluster, ClusterNode, ExecResult, ExternalHost, NodeFaults, PodAccess } from "../provider/provider.ts";
import type { KubeProxy } from "../spec/kube-proxy.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { createControlClient } from "./control.ts";
import { buildLabCommand } from "./machines/nsenter.ts";
import { getLabFiles, type LabFiles } from "./plan/lab-files.ts";
import { type LabPlan, readState } from "./plan/lab-plan.ts";
import { createLabKubeProxyHosts } from "./kube-proxy-hosts.ts";
import { findInitProcess } from "./daemon-process.ts";

/** A running lab. */
export class LabCluster implements Cluster {
  readonly provider = "lab";
  readonly spec: ClusterSpec;
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
  readonly probeImage: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly pods: PodAccess;
  readonly faults: NodeFaults;
  readonly #files: LabFiles;
  readonly #plan: LabPlan;
  readonly #kubectl: Kubectl;
  readonly #init: number;

  private constructor(spec: ClusterSpec, plan: LabPlan, directory: string, init: number, kubectl: Kubectl) {
    this.#files = getLabFiles(directory);
    this.#plan = plan;
    this.#init = init;
    this.#kubectl = kubectl;
    this.spec = spec;
    this.kubeconfig = this.#files.kubeconfig;
    this.nodes = plan.machines.nodes;
    this.probeImage = plan.images.probe;
    this.versions = listClusterVersions(spec);
    this.faults = createControlClient(this.#files.controlSocket);
    this.pods = {
      exec: async (namespace, pod, argv) => {
        const { command, env } = await this.#enterPod(namespace, pod, argv);
        return runCommand(command, { env });
      },
      attach: async (namespace, pod, argv) => {
        const { command, env } = await this.#enterPod(namespace, pod, argv);
        return createProgramStream(command, env);
      },
    };
  }

  static async create(spec: ClusterSpec, plan: LabPlan, directory: string, kubectl: Kubectl): Promise<LabCluster> {
    const pid = Number(await readFile(getLabFiles(directory).pid, "utf8"));
    return new LabCluster(spec, plan, directory, await findInitProcess(pid), kubectl);
  }

  async exec(node: string, argv: readonly string[], options: { readonly stdin?: string } = {}): Promise<ExecResult> {
    return runCommand(await this.#enterMachine(node, argv), options);
  }

  switchKubeProxy(to: KubeProxy): Promise<void> {
    if (this.spec.environment?.spec.kubeProxy?.installed === false) return Promise.resolve();
    return switchKubeProxy(createLabKubeProxyHosts(this), this.#kubectl, to);
  }

  external(): Promise<ExternalHost> {
    const { name, ...addresses } = this.#plan.machines.external;
    return Promise.resolve({
      ...addresses,
      attach: async (argv) => createProgramStream(await this.#enterMachine(name, argv)),
      exec: async (argv) => runCommand(await this.#enterMachine(name, argv)),
    });
  }

  async #enterMachine(name: string, argv: readonly string[]): Promise<readonly string[]> {
    const pid = (await readState(this.#files.state)).machines[name];
    if (pid === undefined) throw new Error(`unknown machine ${name} in the lab ${this.spec.name}`);
    return buildLabCommand(this.#init, pid, argv);
  }

  async #enterPod(namespace: string, pod: string, argv: readonly string[]) {
    const running = (await readState(this.#files.state)).pods[`${namespace}/${pod}`];
    if (running === undefined) throw new Error(`pod ${namespace}/${pod} does not run in the lab ${this.spec.name}`);
    return { command: buildLabCommand(this.#init, running.pid, argv), env: running.env };
  }
}
