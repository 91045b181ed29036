import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { execInNetns } from "../../testing/exec.ts";
import { pluginsFromEnvironment, type TestNode } from "../../testing/invocation.ts";
import { TestNet } from "../../testing/node.ts";

const SERVER = "10.7.168.72";
const addResult = z.object({ ips: z.array(z.object({ address: z.string() })) });

describe("addresses of a DHCP server", () => {
  const plugins = pluginsFromEnvironment();
  let net: TestNet;
  let node: TestNode;
  let server: TestNode;
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
    net = new TestNet(plugins);
    node = net.node("n1", "10.7.168.71");
    server = net.node("n2", SERVER);
    const pid = join(directory, "pid");
    start(server, [
      ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--no-ping"],
      ...["--dhcp-range=10.7.210.1,10.7.210.9,255.255.0.0,2m", `--dhcp-option=option:router,${SERVER}`],
      ...[`--dhcp-leasefile=${join(directory, "leases")}`, `--pid-file=${pid}`, "--user=root", "--log-facility=-"],
    ]);
    const socket = join(directory, "dhcp.sock");
    start(node, [join(plugins.reference, "dhcp"), "daemon", "-socketpath", socket]);
    await waitForFile(pid);
    await waitForFile(socket);
  });
  afterEach(() => {
    for (const child of processes.splice(0)) child.kill();
    net.close();
    rmSync(directory, { recursive: true });
  });

  it("an underlay pod with an address of the plugin dhcp reaches its node and the network", () => {
    const pod = net.pod("u");
    const config = {
      master: "eth0",
      mode: "bridge",
      ipam: { type: "dhcp", daemonSocketPath: join(directory, "dhcp.sock") },
    };
    const { status, json: prevResult } = net.call("macvlan", "ADD", node, pod, "eth0", config);
    assert.equal(status, 0, JSON.stringify(prevResult));
    assert.match(addResult.parse(prevResult).ips[0]?.address ?? "", /^10\.7\.210\.[1-9]\/16$/);
    const added = net.call("interlay", "ADD", node, pod, "eth0", { prevResult });
    assert.equal(added.status, 0, JSON.stringify(added.json));
    for (const target of [node.address, SERVER]) execInNetns(pod.namespace, "ping", "-c", "1", "-W", "5", target);
    assert.match(execInNetns(pod.namespace, "ip", "route", "get", node.address), /dev veth0/);
    assert.match(execInNetns(pod.namespace, "ip", "route", "get", "203.0.113.1"), /via 10\.7\.168\.72 dev eth0/);
    assert.equal(net.call("interlay", "CHECK", node, pod, "eth0", {}).status, 0);
    assert.equal(net.call("interlay", "DEL", node, pod, "eth0", {}).status, 0);
    assert.equal(net.call("macvlan", "DEL", node, pod, "eth0", { ...config, prevResult }).status, 0);
  });
});
