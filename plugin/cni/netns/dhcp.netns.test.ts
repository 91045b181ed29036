import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { execInNetns } from "../../testing/exec.ts";
import type { TestNode } from "../../testing/invocation.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const SERVER = "10.7.168.72";
const addResult = z.object({ ips: z.array(z.object({ address: z.string() })) });

describe("addresses of a DHCP server", () => {
  const net = useTestNet("test");
  const node = net.useNode("n1", "10.7.168.71");
  const server = net.useNode("n2", SERVER);
  let directory: string;
  const processes: ChildProcess[] = [];

  const start = (on: TestNode, argv: readonly string[]): void => {
    processes.push(spawn("ip", ["netns", "exec", on.name, ...argv], { stdio: ["ignore", "ignore", "inherit"] }));
  };
  const waitForFile = async (path: string): Promise<void> => {
    while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "interlay-dhcp-"));
    const pid = join(directory, "pid");
    start(server, [
      ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--no-ping"],
      ...["--dhcp-range=10.7.210.1,10.7.210.9,255.255.0.0,2m", `--dhcp-option=option:router,${SERVER}`],
      ...[`--dhcp-leasefile=${join(directory, "leases")}`, `--pid-file=${pid}`, "--user=root", "--log-facility=-"],
    ]);
    const socket = join(directory, "dhcp.sock");
    start(node, [join(net.plugins.reference, "dhcp"), "daemon", "-socketpath", socket]);
    await waitForFile(pid);
    await waitForFile(socket);
  });
  net.useCleanup(() => {
    for (const child of processes.splice(0)) child.kill();
    rmSync(directory, { recursive: true });
  });

  it("an underlay pod with an address of the plugin dhcp reaches its node and the network", () => {
    const pod = net.pod("u");
    const config = {
      master: "eth0",
      mode: "bridge",
      ipam: { type: "dhcp", daemonSocketPath: join(directory, "dhcp.sock") },
    };
    const prevResult = net.call("macvlan", "ADD", node, pod, "eth0", config);
    assert.match(addResult.parse(prevResult).ips[0]?.address ?? "", /^10\.7\.210\.[1-9]\/16$/);
    net.call("interlay", "ADD", node, pod, "eth0", { prevResult });
    for (const target of [node.address, SERVER]) execInNetns(pod.namespace, "ping", "-c", "1", "-W", "5", target);
    assert.match(execInNetns(pod.namespace, "ip", "route", "get", node.address), /dev veth0/);
    assert.match(execInNetns(pod.namespace, "ip", "route", "get", "203.0.113.1"), /via 10\.7\.168\.72 dev eth0/);
    net.call("interlay", "CHECK", node, pod, "eth0", {});
    net.call("interlay", "DEL", node, pod, "eth0", {});
    net.call("macvlan", "DEL", node, pod, "eth0", { ...config, prevResult });
  });
});
