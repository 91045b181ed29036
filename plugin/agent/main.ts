import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname } from "node:path";
import { decodeAddress, encodeAddressDump, RTM_ADDRESS } from "../netlink/address.ts";
import { decodeLink, encodeLinkName, RTM_LINK } from "../netlink/link.ts";
import { RouteSocket } from "../netlink/socket.ts";
import { type Facts, FACTS_FILE } from "../datapath/facts.ts";
import { Allocator } from "../ipam/allocator.ts";
import { CALICO_POOLS_PATH, ClusterApi, nodeNameOf, SETTINGS_PATH } from "./cluster-api.ts";
import { discover, type Observations } from "./discover.ts";
import { decideGate } from "./gate.ts";
import { installPlugin } from "./install.ts";
import { serveIpam } from "./ipam-server.ts";
import { observeKubeProxy } from "./kube-proxy.ts";
import { log, messageOf } from "./log.ts";
import { type Condition, nodeStatus, type NodeStatus } from "./node-state.ts";
import { repairAttachments } from "./repair.ts";
import { applyReturnPath, readTcpBeLiberal } from "./return-path.ts";

const PERIOD_MS = 5000;
/** What comes together is one pass. */
const DEBOUNCE_MS = 50;
const HOST_BIN = "/host/opt/cni/bin";
const HEALTH_PORT = 9810;

/** The agent of one node: observe -> plan -> apply -> status, on every change and every few seconds. */
export async function runAgent(): Promise<void> {
  const agent = new Agent(ClusterApi.connect(), nodeNameOf(process.env));
  await agent.run();
}

class Agent {
  readonly #api: ClusterApi;
  readonly #node: string;
  #facts: Facts | undefined;
  #written = "";
  #published = "";
  #conditions: readonly Condition[] = [];
  #ipamError: string | undefined = "not started yet";
  #wake: () => void = () => undefined;
  #ready = false;

  constructor(api: ClusterApi, node: string) {
    this.#api = api;
    this.#node = node;
  }

  async run(): Promise<void> {
    log("info", "agent starts", { node: this.#node });
    installPlugin(HOST_BIN);
    await this.#startIpam();
    this.#api.follow(SETTINGS_PATH, () => {
      this.#wake();
    });
    this.#api.follow(CALICO_POOLS_PATH, () => {
      this.#wake();
    });
    watchKernel(() => {
      this.#wake();
    });
    this.#serveHealth();
    let stopping = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.on(signal, () => {
        stopping = true;
        this.#wake();
      });
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- set by a signal
    while (!stopping) {
      await this.#pass().catch((error: unknown) => {
        log("error", "pass failed", { error: messageOf(error) });
      });
      await this.#untilWoken();
    }
    // What the node has stays: pods keep their network while the agent is replaced.
    process.exit(0);
  }

  async #startIpam(): Promise<void> {
    try {
      await serveIpam(new Allocator(this.#api, this.#node));
      this.#ipamError = undefined;
    } catch (error) {
      this.#ipamError = messageOf(error);
    }
  }

  async #pass(): Promise<void> {
    const settings = await this.#api.settings();
    const discovery = discover(await this.#observe(settings.data));
    if ("facts" in discovery) this.#writeFacts(discovery.facts);
    let returnPathError: string | undefined = this.#facts === undefined ? "The facts are not complete." : undefined;
    if (this.#facts !== undefined)
      try {
        applyReturnPath(this.#facts);
      } catch (error) {
        returnPathError = messageOf(error);
      }
    const repair = repairAttachments();
    for (const line of repair.repaired) log("warn", "repaired", { what: line });
    const kubeProxy = await observeKubeProxy();
    const tcpBeLiberal = readTcpBeLiberal();
    const gate = decideGate({
      returnPath: this.#facts?.returnPath ?? "none",
      applied: returnPathError === undefined,
      tcpBeLiberal,
      kubeProxy,
    });
    const status = nodeStatus(
      {
        facts: this.#facts,
        problems: "problems" in discovery ? discovery.problems : [],
        disagreements: "disagreements" in discovery ? discovery.disagreements : [],
        returnPathError,
        configResourceVersion: settings.version,
        tcpBeLiberal,
        kubeProxy,
        gate,
        ipamError: this.#ipamError,
        repair,
      },
      this.#conditions,
      new Date(),
    );
    await this.#publish(status);
    this.#ready = this.#facts !== undefined && returnPathError === undefined && this.#ipamError === undefined;
  }

  async #observe(settings: Readonly<Record<string, string>>): Promise<Observations> {
    const [nodeAddresses, calicoPools, calicoBlocks, kubeadm, serviceCidrObjects, apiServerArguments] =
      await Promise.all([
        this.#api.nodeAddresses(this.#node),
        this.#api.calicoPools(),
        this.#api.calicoBlocks(this.#node),
        this.#api.kubeadmConfiguration(),
        this.#api.serviceCidrs(),
        this.#api.apiServerArguments(),
      ]);
    return {
      nodeName: this.#node,
      nodeAddresses,
      calicoPools,
      calicoBlocks,
      kubeadm,
      serviceCidrObjects,
      apiServerArguments,
      links: linkAddresses(),
      settings,
    };
  }

  /** Whole or not at all; the last good facts stay when a source fails. */
  #writeFacts(facts: Facts): void {
    this.#facts = facts;
    const text = JSON.stringify(facts, null, 2);
    if (text === this.#written) return;
    mkdirSync(dirname(FACTS_FILE), { recursive: true, mode: 0o700 });
    const temporary = `${FACTS_FILE}.new`;
    writeFileSync(temporary, text, { mode: 0o600 });
    chmodSync(temporary, 0o600);
    renameSync(temporary, FACTS_FILE);
    this.#written = text;
    log("info", "facts written", { facts });
  }

  async #publish(status: NodeStatus): Promise<void> {
    this.#conditions = status.conditions;
    const text = JSON.stringify(status);
    if (text === this.#published) return;
    await this.#api.publishNodeState(this.#node, status);
    this.#published = text;
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(end, PERIOD_MS);
      this.#wake = () => {
        clearTimeout(timer);
        setTimeout(end, DEBOUNCE_MS);
      };
    });
  }

  #serveHealth(): void {
    createServer((request, response) => {
      const ok = request.url === "/healthz" || (request.url === "/readyz" && this.#ready);
      response.writeHead(ok ? 200 : 503).end(ok ? "ok\n" : "not ready\n");
    }).listen(HEALTH_PORT, "127.0.0.1");
  }
}

function linkAddresses(): Observations["links"] {
  const socket = RouteSocket.open();
  try {
    const names = new Map(
      socket
        .dump("links", RTM_LINK.get, encodeLinkName())
        .map((message) => decodeLink(message.payload))
        .map((link) => [link.index, link.name]),
    );
    return socket
      .dump("addresses", RTM_ADDRESS.get, encodeAddressDump())
      .flatMap((message) => decodeAddress(message.payload) ?? [])
      .flatMap(({ index, address }) => {
        const name = names.get(index);
        return name === undefined ? [] : [{ name, address }];
      });
  } finally {
    socket.close();
  }
}

/** Any change of routes, links, rules or neighbours is a reason to look; what changed is read by the pass itself. */
function watchKernel(changed: () => void): void {
  const monitor = spawn("ip", ["-o", "monitor", "route", "link", "rule", "address"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  monitor.stdout.on("data", changed);
  const again = (): void => {
    setTimeout(() => {
      watchKernel(changed);
    }, PERIOD_MS);
  };
  monitor.on("error", again);
  monitor.on("exit", again);
}
