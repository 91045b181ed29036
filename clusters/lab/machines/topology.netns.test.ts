import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand, runOrThrow } from "../../components/run-command.ts";
import type { Environment } from "../../spec/environment.ts";
import type { EnvironmentSpec } from "../../spec/environment-spec.ts";
import { DEFAULT_SPEC } from "../../spec/cluster-spec.ts";
import { buildMachineCommand } from "./nsenter.ts";
import { planMachines } from "./machine-addresses.ts";
import { CNI_PROGRAMS, makeBridge, makeMachines, powerOff } from "./machines.ts";

describe("machines of a lab with racks or a management network", () => {
  const programs = Object.fromEntries(CNI_PROGRAMS.map((name) => [name, "/usr/bin/true"]));

  async function withMachines(
    topology: NonNullable<EnvironmentSpec["topology"]>,
    check: (
      exec: (name: string, argv: readonly string[]) => ReturnType<typeof runCommand>,
      router: number,
    ) => Promise<void>,
  ): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), "interlay-topology-"));
    const environment = { spec: { topology } } as unknown as Environment;
    const machines = planMachines({ ...DEFAULT_SPEC, name: "t", environment });
    const bridge = await makeBridge(machines);
    const processes = await makeMachines(bridge, machines, programs, directory);
    try {
      await check((name, argv) => runCommand(buildMachineCommand(processes.get(`t-${name}`) ?? 0, argv)), bridge);
    } finally {
      for (const pid of [...processes.values(), bridge]) await powerOff(pid);
      await rm(directory, { recursive: true, force: true });
    }
  }

  it("machines of a lab with racks or a management network reach the other rack through the router, whose firewall drops a SYN-ACK without its SYN", async function () {
    this.timeout(60_000);
    await withMachines("racks", async (exec, router) => {
      const ping = await exec("worker", ["ping", "-n", "-q", "-c", "3", "-i", "0.2", "-W", "2", "10.7.169.72"]);
      assert.equal(ping.exitCode, 0, ping.stdout);
      const dropped = async () => {
        const nsenter = ["nsenter", "--target", String(router), "--net", "--"];
        const rules = await runOrThrow([...nsenter, "nft", "list", "ruleset"]);
        return Number(/counter packets (\d+)/.exec(rules)?.[1]);
      };
      assert.equal(await dropped(), 0);
      // rewrites every SYN to a SYN-ACK, whose SYN the router has not seen
      const rules = "add rule ip t c tcp flags & (syn | ack) == syn tcp flags set syn | ack";
      const table = "add table ip t; add chain ip t c { type filter hook output priority 0; };";
      const rewritten = await exec("worker", ["nft", `${table} ${rules}`]);
      assert.equal(rewritten.exitCode, 0, rewritten.stderr);
      const connect = await exec("worker", ["curl", "-s", "-m", "2", "http://10.7.169.72/"]);
      assert.notEqual(connect.exitCode, 0);
      assert.ok((await dropped()) > 0, "the router let a SYN-ACK without a SYN pass");
    });
  });

  it("machines of a lab with racks or a management network have their default route on the management link", async function () {
    this.timeout(60_000);
    await withMachines("second-nic", async (exec) => {
      const route = async (to: string) => (await exec("worker", ["ip", "route", "get", to])).stdout;
      assert.match(await route("203.0.113.1"), /via 192\.168\.50\.1 dev eth0 src 192\.168\.50\.71/);
      assert.match(await route("10.7.168.72"), /dev eth1 src 10\.7\.168\.71/);
    });
  });
});
