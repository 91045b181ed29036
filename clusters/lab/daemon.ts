/**
 * The lab: makes the machines, starts the control plane, plays kubelet for every node. Runs as a child of process 1 of
 * the lab's process namespace, in the computer's own network; whoever ends process 1 ends the lab.
 * Started by plain node: daemon DIRECTORY.
 */
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ADMIN_USER,
  API_PORT,
  listApiServerArguments,
  CONTROLLER_MANAGER_USER,
  listControllerManagerArguments,
  listEtcdArguments,
  formatNodeUser,
  SCHEDULER_USER,
  listSchedulerArguments,
} from "./control-plane/component-arguments.ts";
import { serveControl } from "./control.ts";
import { buildContainerCommand, buildMachineCommand } from "./nsenter.ts";
import { renderKubeconfig, createPki, createTokens } from "./control-plane/pki.ts";
import { getLabFiles, type LabNode, getNthAddress } from "./machines/machine-addresses.ts";
import { addMachine, powerOff, makeBridge, makeMachines } from "./machines/machines.ts";
import { type LabState, readPlan } from "./plan.ts";
import type { ClusterNode } from "../provider.ts";
import { RACK_LABEL } from "../environments/rack-subnets.ts";
import { listNodeCommands } from "../environments/node-commands.ts";
import { runOrThrow } from "../components/command.ts";
import { getFamily } from "../spec.ts";
import type { FakeKubelet } from "./fake-kubelet/fake-kubelet.ts";

const files = getLabFiles(process.argv[2] ?? "");
const logs = join(files.directory, "logs");
const log = (line: string): void => {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
};

const plan = await readPlan(files.plan);
const { nodes, external } = plan.machines;
const [controlPlane] = nodes;
if (controlPlane === undefined) throw new Error("A lab has a control plane.");
await mkdir(logs, { recursive: true, mode: 0o700 });

const RESTART_MS = 500;
const nodeAddresses = nodes.flatMap(({ address, address6 }) =>
  address6 === undefined ? [address] : [address, address6],
);
log("machines and keys");
const bridge = await makeBridge(plan.machines);
const [machines, keys] = await Promise.all([
  makeMachines(bridge, plan.machines, plan.programs, files.directory),
  createPki(
    join(files.directory, "keys"),
    ["127.0.0.1", controlPlane.address, getNthAddress(plan.serviceCidr, 1)],
    nodeAddresses,
  ),
]);
const machineOf = (name: string): number => machines.get(name) ?? 0;
await Promise.all(nodes.map(configureNode));
// Calico's plugin takes the prefix from its own environment, which is the container runtime's.
const interfacePrefix = plan.environment?.calico?.interfacePrefix;
if (interfacePrefix !== undefined) process.env["FELIX_INTERFACEPREFIX"] = interfacePrefix;

const tokens = await createTokens(keys, [
  { user: ADMIN_USER, groups: ["system:masters"] },
  { user: CONTROLLER_MANAGER_USER, groups: [] },
  { user: SCHEDULER_USER, groups: [] },
  ...nodes.map(({ name }) => ({ user: formatNodeUser(name), groups: ["system:nodes"] })),
]);
const local = `https://127.0.0.1:${API_PORT}`;
const outside = `https://127.0.0.1:${plan.port}`;
const config = (server: string, user: string) => renderKubeconfig(server, keys, user, tokens.get(user) ?? "");
const save = async (path: string, text: string) => {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
};
await Promise.all([
  save(join(files.directory, "kube-controller-manager.kubeconfig"), await config(local, CONTROLLER_MANAGER_USER)),
  save(join(files.directory, "kube-scheduler.kubeconfig"), await config(local, SCHEDULER_USER)),
]);

/** Everything has run once: from then on what ends is started again. */
let up = false;
log("control plane");
let writing: Promise<void> = Promise.resolve();
const runners = new Map<string, FakeKubelet>();
const options = { ...plan, version: plan.kubernetes, address: controlPlane.address, keys, directory: files.directory };
start("etcd", listEtcdArguments(options));
start("kube-apiserver", listApiServerArguments(options));
startOn(controlPlane.name, "relay", [
  process.execPath,
  "--no-warnings",
  join(import.meta.dirname, "control-plane", "port-forward.ts"),
  files.apiSocket,
  String(API_PORT),
]);
createServer((near) => {
  const far = connect(files.apiSocket);
  near.pipe(far).pipe(near);
  for (const end of [near, far])
    end.on("error", () => {
      near.destroy();
      far.destroy();
    });
}).listen(plan.port, "127.0.0.1");

// Loading the API's client takes as long as the API server takes to start.
const [{ FakeKubelet: Runner }] = await Promise.all([import("./fake-kubelet/fake-kubelet.ts"), untilServed()]);
await save(files.kubeconfig, await config(outside, ADMIN_USER));
start("kube-controller-manager", listControllerManagerArguments(options));
start("kube-scheduler", listSchedulerArguments(options));
startExternal();

log("nodes");
await Promise.all(
  nodes.map(async (node) => {
    startPort(node.name);
    await startNode(node);
  }),
);
if (plan.environment?.loadBalancer === true) await startLoadBalancer();
await serveControl(files.controlSocket, { powerOff: dropNode, recreate: makeNode, pauseKubelet });
writeState();
up = true;
log("up");

/** Gives a node the settings of the lab's environment, before anything runs on it. */
async function configureNode({ name, address6 }: ClusterNode): Promise<void> {
  const families = address6 === undefined ? [getFamily(nodes[0]?.address ?? "")] : (["ipv4", "ipv6"] as const);
  for (const argv of listNodeCommands(plan.environment?.nodes ?? {}, families))
    await runOrThrow(buildMachineCommand(machineOf(name), argv));
}

async function startNode({ name, address, address6, role, rack }: LabNode): Promise<void> {
  const rackName = plan.machines.racks?.[rack ?? 0]?.name;
  const runner = new Runner({
    labels: rackName === undefined ? {} : { [RACK_LABEL]: rackName },
    ...{ name, role, plan, logs, log, onChange: writeState, machine: machineOf(name) },
    addresses: address6 === undefined ? [address] : [address, address6],
    kubeconfig: await config(outside, formatNodeUser(name)),
  });
  runners.set(name, runner);
  await runner.start();
}

async function dropNode(name: string): Promise<void> {
  const runner = runners.get(name);
  if (runner === undefined || name === controlPlane?.name) throw new Error(`${name} is no worker that runs.`);
  log(`${name}: power cut`);
  runners.delete(name);
  runner.pause();
  await powerOff(machineOf(name));
  await runner.powerOff();
  machines.delete(name);
  writeState();
}

async function makeNode(name: string): Promise<void> {
  const node = nodes.find((one) => one.name === name);
  if (node === undefined || runners.has(name)) throw new Error(`${name} is no node that was dropped.`);
  log(`${name}: made anew`);
  machines.set(name, await addMachine(bridge, plan.machines, node, plan.programs, files.directory));
  await configureNode(node);
  await startNode(node);
  writeState();
}

async function pauseKubelet(name: string, milliseconds: number): Promise<void> {
  const runner = runners.get(name);
  if (runner === undefined) throw new Error(`${name} is no node that runs.`);
  log(`${name}: the node runner is away for ${milliseconds} ms`);
  runner.pause();
  await sleep(milliseconds);
  await runner.start();
}

/** A program of the control plane; these see this computer's files, for their keys are there. */
function start(program: string, args: readonly string[]): void {
  startOn(controlPlane?.name ?? "", program, [plan.programs[program] ?? program, ...args]);
}

/** The node's port for the API server. */
function startPort(name: string): void {
  const program = join(import.meta.dirname, "fake-kubelet", "kubelet-server.ts");
  const argv = [process.execPath, "--no-warnings", program, files.directory, dirname(keys.ca)];
  startOn(name, `kubelet-${name}`, argv);
}

function startOn(machine: string, name: string, argv: readonly string[]): void {
  const output = openSync(join(logs, `${name}.log`), "a", 0o600);
  const enter = ["--target", String(machineOf(machine)), "--net", "--uts", "--", ...argv];
  spawn("nsenter", enter, { stdio: ["ignore", output, output] }).on("exit", (code, signal) => {
    log(`${name} ended with ${String(signal ?? code)}: see ${logs}/${name}.log`);
    if (!up) process.exit(1); // a lab without it is none
    const again = (): void => {
      if (machines.has(machine))
        startOn(machine, name, argv); // as kubelet does with a static pod
      else later(); // it has no power
    };
    const later = (): void => void setTimeout(again, RESTART_MS);
    later();
  });
}

async function startLoadBalancer(): Promise<void> {
  const { serveLoadBalancer } = await import("./load-balancer/serve-load-balancer.ts");
  const kubeconfig = await config(outside, ADMIN_USER);
  void serveLoadBalancer({ kubeconfig, machines: plan.machines, findMachine: machineOf, log });
}

/** The world outside: a machine that is no node, with the probe's server as its only program. */
function startExternal(): void {
  const argv = buildMachineCommand(
    machineOf(external.name),
    buildContainerCommand(external.name, [], ["/usr/local/bin/probe"]),
  );
  const [file = "", ...rest] = argv;
  spawn(file, rest, { stdio: "ignore" });
}

async function untilServed(): Promise<void> {
  const { request } = await import("node:https");
  const ready = () =>
    new Promise<boolean>((resolve) => {
      // Not yet the moment for secrets: whether it answers is all that is asked.
      request(
        { host: "127.0.0.1", port: plan.port, path: "/readyz", rejectUnauthorized: false, agent: false },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode === 200);
        },
      )
        .on("error", () => {
          resolve(false);
        })
        .end();
    });
  while (!(await ready())) await sleep(50);
}

/** Where everything is, for whoever enters. */
function writeState(): void {
  const state: LabState = {
    machines: Object.fromEntries(machines),
    pods: Object.fromEntries(
      [...runners.values()].flatMap(({ running }) => [...running].map(([pod, { pid, env }]) => [pod, { pid, env }])),
    ),
  };
  writing = writing.then(() => save(files.state, JSON.stringify(state)));
}
