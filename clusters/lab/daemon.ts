/**
 * The lab's daemon: creates the machines, runs the control plane, and is the kubelet of every node. It runs in the lab's
 * process namespace and the host's network namespace. When the first process of the process namespace ends, the lab ends.
 * Started by plain node: daemon DIRECTORY.
 */
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runOrThrow } from "../components/run-command.ts";
import { listNodeCommands } from "../environments/list-node-commands.ts";
import { RACK_LABEL } from "../environments/rack-subnets.ts";
import type { ClusterNode } from "../provider/provider.ts";
import { getIpFamily } from "../spec/address-ranges.ts";
import {
  listApiServerArguments,
  listControllerManagerArguments,
  listEtcdArguments,
  listSchedulerArguments,
} from "./control-plane/component-arguments.ts";
import {
  ADMIN_USER,
  API_PORT,
  CONTROLLER_MANAGER_USER,
  formatNodeUser,
  SCHEDULER_USER,
} from "./control-plane/identities.ts";
import { pipeSockets } from "./control-plane/pipe-sockets.ts";
import { createPki, createTokens, renderKubeconfig } from "./control-plane/pki.ts";
import { waitUntilServed } from "./control-plane/wait-until-served.ts";
import { serveControl } from "./control.ts";
import type { FakeKubelet } from "./fake-kubelet/fake-kubelet.ts";
import { getLabFiles } from "./plan/lab-files.ts";
import { getNthAddress, type LabNode } from "./machines/machine-addresses.ts";
import { addMachine, makeBridge, makeMachines, powerOff } from "./machines/machines.ts";
import { buildContainerCommand, buildMachineCommand } from "./machines/nsenter.ts";
import { type LabState, readPlan } from "./plan/lab-plan.ts";

/** Delay before a program that has ended is started again. */
const RESTART_MS = 500;

const files = getLabFiles(process.argv[2] ?? "");
const logs = join(files.directory, "logs");
const log = (line: string): void => {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
};

const plan = await readPlan(files.plan);
const { nodes, external } = plan.machines;
const [controlPlane] = nodes;
if (controlPlane === undefined) throw new Error(`${files.plan} has no control plane`);
await mkdir(logs, { recursive: true, mode: 0o700 });

log("machines and keys");
const bridge = await makeBridge(plan.machines);
const [machines, pki] = await Promise.all([
  makeMachines(bridge, plan.machines, plan.programs, files.directory),
  createPki(
    join(files.directory, "keys"),
    ["127.0.0.1", controlPlane.address, getNthAddress(plan.serviceCidr, 1)],
    nodes.flatMap(listNodeAddresses),
  ),
]);
const findMachine = (name: string): number => machines.get(name) ?? 0;
await Promise.all(nodes.map(configureNode));
// Calico's plugin reads the prefix from the environment of the container runtime, which is this process.
const interfacePrefix = plan.environment?.calico?.interfacePrefix;
if (interfacePrefix !== undefined) process.env["FELIX_INTERFACEPREFIX"] = interfacePrefix;

const tokens = await createTokens(pki, [
  { user: ADMIN_USER, groups: ["system:masters"] },
  { user: CONTROLLER_MANAGER_USER, groups: [] },
  { user: SCHEDULER_USER, groups: [] },
  ...nodes.map(({ name }) => ({ user: formatNodeUser(name), groups: ["system:nodes"] })),
]);
const controlPlaneUrl = `https://127.0.0.1:${API_PORT}`;
const hostUrl = `https://127.0.0.1:${plan.port}`;
const renderConfig = (server: string, user: string) => renderKubeconfig(server, pki, user, tokens.get(user) ?? "");
const replaceFile = async (path: string, text: string) => {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
};
const writeConfig = async (name: string, user: string) => {
  await replaceFile(join(files.directory, `${name}.kubeconfig`), await renderConfig(controlPlaneUrl, user));
};
await Promise.all([
  writeConfig("kube-controller-manager", CONTROLLER_MANAGER_USER),
  writeConfig("kube-scheduler", SCHEDULER_USER),
]);

/** Whether the lab has been up: a program that ends later is started again, one that ends earlier ends the lab. */
let isUp = false;
log("control plane");
let lastWrite: Promise<void> = Promise.resolve();
const kubelets = new Map<string, FakeKubelet>();
const options = { ...plan, version: plan.kubernetes, address: controlPlane.address, pki, directory: files.directory };
startComponent("etcd", listEtcdArguments(options));
startComponent("kube-apiserver", listApiServerArguments(options));
startScript(controlPlane.name, "port-forward", "control-plane/port-forward.ts", [files.apiSocket, String(API_PORT)]);
createServer((client) => {
  pipeSockets(client, connect(files.apiSocket));
}).listen(plan.port, "127.0.0.1");

// Loading the API client takes as long as the API server needs to start.
const [{ FakeKubelet: Kubelet }] = await Promise.all([
  import("./fake-kubelet/fake-kubelet.ts"),
  waitUntilServed(plan.port),
]);
await replaceFile(files.kubeconfig, await renderConfig(hostUrl, ADMIN_USER));
startComponent("kube-controller-manager", listControllerManagerArguments(options));
startComponent("kube-scheduler", listSchedulerArguments(options));
startExternalHost();

log("nodes");
await Promise.all(
  nodes.map(async (node) => {
    const pkiDirectory = dirname(pki.ca);
    const script = "fake-kubelet/kubelet-server.ts";
    startScript(node.name, `kubelet-${node.name}`, script, [files.directory, pkiDirectory]);
    await startKubelet(node);
  }),
);
if (plan.environment?.loadBalancer === true) await startLoadBalancer();
await serveControl(files.controlSocket, { powerOff: powerOffNode, recreate: recreateNode, pauseKubelet });
writeState();
isUp = true;
log("up");

function listNodeAddresses({ address, address6 }: ClusterNode): readonly string[] {
  return address6 === undefined ? [address] : [address, address6];
}

/** Applies the environment's settings of a node, before any program runs there. */
async function configureNode(node: ClusterNode): Promise<void> {
  const families = listNodeAddresses(node).map(getIpFamily);
  for (const argv of listNodeCommands(plan.environment?.nodes ?? {}, families))
    await runOrThrow(buildMachineCommand(findMachine(node.name), argv));
}

async function startKubelet(node: LabNode): Promise<void> {
  const { name, role, rack } = node;
  const rackName = plan.machines.racks?.[rack ?? 0]?.name;
  const kubelet = new Kubelet({
    name,
    role,
    plan,
    logs,
    log,
    labels: rackName === undefined ? {} : { [RACK_LABEL]: rackName },
    machine: findMachine(name),
    addresses: listNodeAddresses(node),
    kubeconfig: await renderConfig(hostUrl, formatNodeUser(name)),
    onChange: writeState,
  });
  kubelets.set(name, kubelet);
  await kubelet.start();
}

async function powerOffNode(name: string): Promise<void> {
  const kubelet = kubelets.get(name);
  if (kubelet === undefined || name === controlPlane?.name)
    throw new Error(`cannot power off ${name}: it is not a running worker`);
  log(`${name}: power off`);
  kubelets.delete(name);
  kubelet.pause();
  await powerOff(findMachine(name));
  await kubelet.powerOff();
  machines.delete(name);
  writeState();
}

async function recreateNode(name: string): Promise<void> {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node === undefined || kubelets.has(name)) throw new Error(`cannot recreate ${name}: it was not powered off`);
  log(`${name}: recreated`);
  machines.set(name, await addMachine(bridge, plan.machines, node, plan.programs, files.directory));
  await configureNode(node);
  await startKubelet(node);
  writeState();
}

async function pauseKubelet(name: string, milliseconds: number): Promise<void> {
  const kubelet = kubelets.get(name);
  if (kubelet === undefined) throw new Error(`cannot pause the kubelet of ${name}: it is not a running node`);
  log(`${name}: the kubelet pauses for ${milliseconds} ms`);
  kubelet.pause();
  await sleep(milliseconds);
  await kubelet.start();
}

/** Starts a component in the control plane's network. It sees the host's files, where its keys are. */
function startComponent(program: string, args: readonly string[]): void {
  startProgram(controlPlane?.name ?? "", program, [plan.programs[program] ?? program, ...args]);
}

/** Starts a TypeScript file of this folder in a machine's network. */
function startScript(machine: string, name: string, script: string, args: readonly string[]): void {
  startProgram(machine, name, [process.execPath, "--no-warnings", join(import.meta.dirname, script), ...args]);
}

/** Starts a program in a machine's network with the host's files, and starts it again when it ends. */
function startProgram(machine: string, name: string, argv: readonly string[]): void {
  const output = openSync(join(logs, `${name}.log`), "a", 0o600);
  const nsenter = ["--target", String(findMachine(machine)), "--net", "--uts", "--", ...argv];
  spawn("nsenter", nsenter, { stdio: ["ignore", output, output] }).on("exit", (code, signal) => {
    log(`${name} ended with ${String(signal ?? code)}: see ${logs}/${name}.log`);
    if (!isUp) process.exit(1);
    const restart = (): void => {
      if (machines.has(machine)) startProgram(machine, name, argv);
      else restartLater(); // the machine is powered off
    };
    const restartLater = (): void => void setTimeout(restart, RESTART_MS);
    restartLater();
  });
}

async function startLoadBalancer(): Promise<void> {
  const { serveLoadBalancer } = await import("./load-balancer/serve-load-balancer.ts");
  const kubeconfig = await renderConfig(hostUrl, ADMIN_USER);
  void serveLoadBalancer({ kubeconfig, machines: plan.machines, findMachine, log });
}

/** Starts the probe's server on the external host, a machine that is not part of the cluster. */
function startExternalHost(): void {
  const container = buildContainerCommand(external.name, [], ["/usr/local/bin/probe"]);
  const [file = "", ...programArguments] = buildMachineCommand(findMachine(external.name), container);
  spawn(file, programArguments, { stdio: "ignore" });
}

/** Writes the process ids of machines and pods for programs that enter their namespaces. */
function writeState(): void {
  const state: LabState = {
    machines: Object.fromEntries(machines),
    pods: Object.fromEntries(
      [...kubelets.values()].flatMap(({ running }) => [...running].map(([pod, { pid, env }]) => [pod, { pid, env }])),
    ),
  };
  lastWrite = lastWrite.then(() => replaceFile(files.state, JSON.stringify(state)));
}
