import assert from "node:assert/strict";
import { readAdvertised, sendAdvertisement } from "../../testing/router-advertisement.ts";
import type { TestPod } from "../../testing/invocation.ts";
import { execInNetns } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const GATEWAY = "10.7.168.72";
describe("router advertisements on the wire", () => {
  const net = useTestNet("test");
  const node = net.useNode("n1", "10.7.168.71", {}, "fd00:10:7::71");
  const router = net.useNode("n2", GATEWAY, {}, "fd00:10:7::72");

  /** Sends up to `rounds` advertisements until the link has applied one. */
  async function advertise(pod: TestPod, link: string, rounds: number): Promise<boolean> {
    for (let round = 0; round < rounds; round++) {
      sendAdvertisement(router.name);
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (readAdvertised(pod.namespace, link) !== "") return true;
    }
    return false;
  }
  for (const ifname of ["eth0", "net1"] as const)
    for (const [families, addresses] of [
      ["IPv4", [{ address: "10.7.200.1/16", gateway: GATEWAY }]],
      ["both families", [{ address: "10.7.200.1/16", gateway: GATEWAY }, { address: "fd00:10:7::200:1/64" }]],
    ] as const)
      it(`router advertisements on the wire give ${ifname} with addresses of ${families} no address and no route, before or after it is wired`, async () => {
        const pod = net.pod("u");
        if (ifname !== "eth0") net.overlay(node, pod, "10.233.64.5");
        for (const name of ["accept_ra", "autoconf"])
          execInNetns(pod.namespace, "sysctl", "-qw", `net.ipv6.conf.default.${name}=1`);
        const prevResult = net.macvlan(node, pod, ifname, addresses);
        assert.ok(await advertise(pod, ifname, 100), "no advertisement arrives: the test is not valid");
        net.call("interlay", "ADD", node, pod, ifname, { prevResult });
        assert.equal(readAdvertised(pod.namespace, ifname), "", "what came before is kept");
        assert.ok(!(await advertise(pod, ifname, 20)), `${ifname} took: ${readAdvertised(pod.namespace, ifname)}`);
        net.call("interlay", "CHECK", node, pod, ifname, {});
      });

  it("router advertisements on the wire give a NIC an address and a route if its network accepts them", async () => {
    const pod = net.pod("u");
    const prevResult = net.macvlan(node, pod, "eth0", [{ address: "fd00:10:7::200:1/64" }]);
    const options = { prevResult, acceptRouterAdvertisements: true };
    net.call("interlay", "ADD", node, pod, "eth0", options);
    assert.ok(await advertise(pod, "eth0", 100), "the NIC took nothing");
    net.call("interlay", "CHECK", node, pod, "eth0", { acceptRouterAdvertisements: true });
    net.call("interlay", "ADD", node, pod, "eth0", options);
    assert.notEqual(readAdvertised(pod.namespace, "eth0"), "", "a repeated ADD keeps them");
  });
});
