import assert from "node:assert/strict";
import { makeNamespace } from "../../testing/make-namespace.ts";
import type { AddressSnapshot, NamespaceSnapshot } from "../snapshot.ts";
import { findNamespace, parseTarget, selectAddress } from "./find-endpoint.ts";

const makeAddress = (address: string, link: string, scope = "global"): AddressSnapshot => ({
  family: address.includes(":") ? "ipv6" : "ipv4",
  address,
  prefixLength: 32,
  link,
  scope,
  flags: [],
});
const makePod = (name: string, ...addresses: AddressSnapshot[]): NamespaceSnapshot =>
  makeNamespace({ id: `id:${name}`, kind: "pod", name, addresses });
const snapshot = {
  version: 1 as const,
  takenAt: "2026-01-01T00:00:00Z",
  namespaces: [
    makeNamespace({ id: "id:n1", kind: "node", name: "n1", addresses: [makeAddress("10.7.0.1", "eth0")] }),
    makePod("a/web", makeAddress("10.233.64.1", "eth0")),
    makePod("b/web", makeAddress("10.233.64.2", "eth0")),
    makePod("b/db", makeAddress("10.233.64.3", "eth0")),
  ],
};

describe("endpoints of a trace", () => {
  for (const [text, host, port] of [
    ["10.1.2.3", "10.1.2.3", undefined],
    ["10.1.2.3:80", "10.1.2.3", 80],
    ["fd00::1", "fd00::1", undefined],
    ["[fd00::1]:80", "fd00::1", 80],
    ["default/web:8080", "default/web", 8080],
    ["web", "web", undefined],
  ] as const)
    it(`parses the target ${text}`, () => {
      assert.deepEqual(parseTarget(text), { host, port });
    });

  for (const text of ["10.1.2.3:0", "web:70000", "web:http", ":80", ""])
    it(`rejects the target "${text}"`, () => {
      assert.throws(() => parseTarget(text), /invalid target/);
    });

  it("finds a namespace by its name, its pod's name, or its address", () => {
    for (const [text, id] of [
      ["n1", "id:n1"],
      ["a/web", "id:a/web"],
      ["db", "id:b/db"],
      ["10.233.64.2", "id:b/web"],
    ] as const)
      assert.equal(findNamespace(snapshot, text).id, id, text);
  });

  it("a pod's name that two namespaces have is ambiguous, and the error names both", () => {
    assert.throws(() => findNamespace(snapshot, "web"), /a\/web, b\/web/);
  });

  it("an unknown source is an error that lists the known ones", () => {
    assert.throws(() => findNamespace(snapshot, "x"), /unknown source "x".*n1, a\/web/);
  });

  it("a node or pod is reached by the first global address of its first link", () => {
    const link = {
      kind: "veth",
      mac: "",
      mtu: 1500,
      up: true,
      carrier: true,
      noArp: false,
      promiscuous: false,
      programs: [],
    };
    const namespace = makeNamespace({
      id: "x",
      kind: "node",
      name: "x",
      links: [
        { ...link, index: 3, name: "net1" },
        { ...link, index: 2, name: "eth0" },
      ],
      addresses: [
        makeAddress("127.0.0.1", "lo", "host"),
        makeAddress("10.7.0.9", "net1"),
        makeAddress("10.233.64.9", "eth0"),
        makeAddress("fe80::1", "eth0", "link"),
      ],
    });
    assert.equal(selectAddress(namespace, "ipv4"), "10.233.64.9");
    assert.throws(() => selectAddress(namespace, "ipv6"), /x has no ipv6 address/);
  });
});
