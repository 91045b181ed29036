import assert from "node:assert/strict";
import { ipLinks } from "./ip-output.ts";
import { parseAddresses, parseLinks } from "./parse-links.ts";

const LINK = {
  ifindex: 5,
  ifname: "e0",
  flags: ["UP", "LOWER_UP"],
  mtu: 1450,
  address: "02:00:00:00:00:01",
  addr_info: [],
};
const parse = (link: object, qdiscs: { kind: string; dev: string }[] = []) =>
  parseLinks(ipLinks.parse([{ ...LINK, ...link }]), qdiscs)[0];

describe("links and addresses of iproute2", () => {
  it("a link without a kind is a device, or the loopback", () => {
    assert.equal(parse({})?.link.kind, "device");
    assert.equal(parse({ flags: ["LOOPBACK"] })?.link.kind, "loopback");
  });

  it("a link that is up without a carrier has both states", () => {
    const link = parse({ flags: ["UP", "NO-CARRIER", "NOARP"] })?.link;
    assert.deepEqual([link?.up, link?.carrier, link?.noArp], [true, false, true]);
  });

  it("the other end has the number of its namespace, which 0 is too", () => {
    const veth = { linkinfo: { info_kind: "veth" }, link_index: 7 };
    assert.deepEqual(parse({ ...veth, link_netnsid: 0 })?.otherEnd, { index: 7, namespace: 0 });
    assert.deepEqual(parse(veth)?.otherEnd, { index: 7, namespace: undefined });
  });

  it("reads the parameters of a VXLAN link", () => {
    const data = { id: 4096, local: "10.1.0.1", link: "eth0", port: 4789, learning: false };
    assert.deepEqual(parse({ linkinfo: { info_kind: "vxlan", info_data: data } })?.link.vxlan, {
      ...data,
      proxy: false,
    });
  });

  it("reads a macvlan link's mode and a bridge port's state", () => {
    assert.equal(
      parse({ linkinfo: { info_kind: "macvlan", info_data: { mode: "private" } } })?.link.macvlanMode,
      "private",
    );
    const port = { state: "blocking", isolated: true, hairpin: false, learning: true };
    assert.deepEqual(
      parse({ master: "br0", linkinfo: { info_slave_kind: "bridge", info_slave_data: port } })?.link.bridgePort,
      port,
    );
  });

  it("names programs and queues that the model does not know", () => {
    const qdiscs = [
      { kind: "clsact", dev: "e0" },
      { kind: "netem", dev: "other" },
    ];
    assert.deepEqual(parse({ xdp: { mode: 1 } }, qdiscs)?.link.programs, ["xdp", "tc clsact"]);
  });

  it("reads addresses of both families with their flags", () => {
    const addr_info = [
      { family: "inet", local: "10.1.0.1", prefixlen: 24, scope: "global", secondary: true },
      { family: "inet6", local: "fe80::1", prefixlen: 64, scope: "link", tentative: true },
      { family: "inet", local: "10.9.0.1", address: "10.9.0.2", prefixlen: 32, scope: "global" },
    ];
    assert.deepEqual(parseAddresses(ipLinks.parse([{ ...LINK, addr_info }])), [
      {
        family: "ipv4",
        address: "10.1.0.1",
        prefixLength: 24,
        link: "e0",
        scope: "global",
        flags: ["secondary"],
      },
      { family: "ipv6", address: "fe80::1", prefixLength: 64, link: "e0", scope: "link", flags: ["tentative"] },
      {
        family: "ipv4",
        address: "10.9.0.1",
        prefixLength: 32,
        link: "e0",
        peer: "10.9.0.2",
        scope: "global",
        flags: [],
      },
    ]);
  });
});
