import assert from "node:assert/strict";
import { attachmentRecord, listMutants } from "./mutant.ts";

describe("mutants of a plan", () => {
  const record = attachmentRecord.parse({
    ifname: "eth0",
    netns: "/var/run/netns/p",
    pod: { namespace: "n", name: "underlay-1-b" },
    plan: {
      items: [
        { kind: "veth", node: { name: "vethil012345678", mac: "x" }, reason: "a" },
        {
          kind: "sysctl",
          where: "node",
          path: ["ipv4", "conf", "vethil012345678", "rp_filter"],
          value: "2",
          reason: "b",
        },
        {
          kind: "route",
          where: "pod",
          family: "ipv4",
          destination: "10.233.0.0/18",
          gateway: "10.7.168.71",
          device: "veth0",
          table: 254,
          reason: "c",
        },
        { kind: "rule", where: "pod", family: "ipv6", priority: 1000, from: "fd00::1", table: 10_002, reason: "d" },
        { kind: "rule", where: "node", family: "ipv4", priority: 1000, table: 500, reason: "e" },
      ],
    },
  });
  const other = {
    ...record,
    netns: "/var/run/netns/q",
    pod: { ...record.pod, name: "underlay-1-a" },
    plan: { items: record.plan.items.slice(3) },
  };
  const mutants = listMutants([record, other]);

  it("mutants of a plan take each line out where it is, from every pod of the type, and what pods share once", () => {
    assert.deepEqual(
      mutants.map(({ argvs }) => argvs.map((argv) => argv.join(" "))),
      [
        ["ip link delete vethil012345678"],
        ["sysctl -w net/ipv4/conf/vethil012345678/rp_filter=1"],
        ["nsenter --net=/var/run/netns/p -- ip -4 route delete 10.233.0.0/18 dev veth0 table 254"],
        [
          "nsenter --net=/var/run/netns/p -- ip -6 rule delete priority 1000 from fd00::1 lookup 10002",
          "nsenter --net=/var/run/netns/q -- ip -6 rule delete priority 1000 from fd00::1 lookup 10002",
        ],
        ["ip -4 rule delete priority 1000 lookup 500"],
      ],
    );
  });

  it("mutants of a plan have titles with their pod type and without names that differ between clusters", () => {
    assert.deepEqual(
      mutants.map(({ title, pods }) => [title.replace("underlay eth0: ", ""), pods.length]),
      [
        ["node: the pair", 1],
        ["node: sysctl ipv4.conf.vethil….rp_filter = 2", 1],
        ["pod: route to 10.233.0.0/18 by a gateway dev veth0 table 254 (ipv4)", 1],
        ["pod: rule for an address to table 10002 (ipv6)", 2],
        ["node: rule for all to table 500 (ipv4)", 2],
      ],
    );
  });
});
