import assert from "node:assert/strict";
import { TestAgent } from "../../testing/test-agent.ts";
import type { TestPod } from "../../testing/invocation.ts";
import { execInNetns, execLocally } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const ADDRESSES = [
  { address: "10.7.200.1/16", gateway: "10.7.168.72" },
  { address: "fd07::200:1/64", gateway: "fd07::72" },
];
const NETWORKS = ["10.7.0.0/16", "fd07::/64"] as const;

describe("the connected routes of a pod's NIC", () => {
  const net = useTestNet("test");
  const node = net.useNode("n1", "10.7.168.71", {}, "fd07::71");
  net.useNode("n2", "10.7.168.72", {}, "fd07::72");

  const shown = (pod: TestPod, network: string): string =>
    execInNetns(pod.namespace, "ip", network.includes(":") ? "-6" : "-4", "route", "show", network).trim();
  const attach = (ifname: string): TestPod => {
    const pod = net.pod("p");
    if (ifname === "net1") net.overlay(node, pod, "10.233.64.5", "fd33:64::5");
    net.attachAll(node, pod, ifname, ADDRESSES);
    return pod;
  };

  for (const ifname of ["eth0", "net1"])
    it(`the connected routes of a pod's NIC are those of the kernel after ADD, and CHECK names one that is missing (${ifname})`, () => {
      const pod = attach(ifname);
      for (const network of NETWORKS) assert.match(shown(pod, network), new RegExp(`dev ${ifname} proto kernel`));
      assert.deepEqual(net.call("interlay", "CHECK", node, pod, ifname, {}), {});
      for (const network of NETWORKS) execLocally(["ip", "-n", pod.namespace, "route", "del", network, "dev", ifname]);
      const { json } = net.tryCall("interlay", "CHECK", node, pod, ifname, {});
      for (const network of NETWORKS)
        assert.ok(String(json["msg"]).includes(`pod: route ${network} dev ${ifname}`), JSON.stringify(json));
      net.call("interlay", "DEL", node, pod, ifname, {});
    });

  it("should be restored by the agent before a foreign route to the same network", async () => {
    const pod = attach("eth0");
    const [ipv4, ipv6] = NETWORKS;
    execLocally(["ip", "-n", pod.namespace, "route", "replace", ipv4, "via", "10.7.168.71", "dev", "veth0"]);
    execLocally(["ip", "-n", pod.namespace, "route", "del", ipv6, "dev", "eth0"]);
    const agent = new TestAgent(node);
    await agent.start(net.plugins.interlay);
    try {
      for (let tries = 0; tries < 100 && !NETWORKS.every((n) => shown(pod, n).includes("dev eth0")); tries++)
        await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await agent.kill();
    }
    const [first = "", second = ""] = shown(pod, ipv4).split("\n");
    assert.match(first, /^10\.7\.0\.0\/16 dev eth0 proto kernel scope link src 10\.7\.200\.1/);
    assert.match(second, /^10\.7\.0\.0\/16 via 10\.7\.168\.71 dev veth0/, "the foreign route was removed");
    assert.match(shown(pod, ipv6), /^fd07::\/64 dev eth0 proto kernel metric 256/);
    assert.deepEqual(net.call("interlay", "CHECK", node, pod, "eth0", {}), {});
  });
});
