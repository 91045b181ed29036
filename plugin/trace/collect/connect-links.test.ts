import assert from "node:assert/strict";
import { makeNamespace } from "../../testing/make-namespace.ts";
import type { LinkSnapshot } from "../snapshot.ts";
import { connectLinks } from "./connect-links.ts";
import type { ParsedLink } from "./parse-links.ts";
import type { CollectedNamespace } from "./read-namespace.ts";

function makeLink(name: string, index: number, kind: string, otherEnd?: ParsedLink["otherEnd"]): ParsedLink {
  const link: LinkSnapshot = {
    index,
    name,
    kind,
    mac: "",
    mtu: 1500,
    up: true,
    carrier: true,
    noArp: false,
    promiscuous: false,
    programs: [],
  };
  return { link, otherEnd };
}

const makeState = (id: string, links: readonly ParsedLink[]): CollectedNamespace => ({
  links,
  namespace: makeNamespace({ id, kind: id === "node" ? "node" : "pod", name: id }),
});

const connect = (...states: readonly CollectedNamespace[]) =>
  Object.fromEntries(
    connectLinks(states).flatMap(({ id, links }) =>
      links.map(({ name, peer, parent }) => [`${id}:${name}`, peer ?? parent] as const),
    ),
  );

describe("other ends of links", () => {
  it("pairs veth links that name each other, in both directions", () => {
    const ends = connect(
      makeState("node", [
        makeLink("cali1", 11, "veth", { index: 3, namespace: 1 }),
        makeLink("cali2", 12, "veth", { index: 3, namespace: 2 }),
      ]),
      makeState("a", [makeLink("eth0", 3, "veth", { index: 11, namespace: 0 })]),
      makeState("b", [makeLink("eth0", 3, "veth", { index: 12, namespace: 0 })]),
    );
    assert.deepEqual(ends, {
      "node:cali1": { namespace: "a", link: "eth0" },
      "node:cali2": { namespace: "b", link: "eth0" },
      "a:eth0": { namespace: "node", link: "cali1" },
      "b:eth0": { namespace: "node", link: "cali2" },
    });
  });

  it("pairs the two ends of one namespace", () => {
    const ends = connect(
      makeState("node", [
        makeLink("left", 4, "veth", { index: 5, namespace: undefined }),
        makeLink("right", 5, "veth", { index: 4, namespace: undefined }),
      ]),
    );
    assert.deepEqual(ends["node:left"], { namespace: "node", link: "right" });
  });

  it("a peer outside the snapshot stays unknown", () => {
    const ends = connect(
      makeState("node", [makeLink("eth0", 2, "veth", { index: 9, namespace: 0 })]),
      makeState("a", [makeLink("eth0", 9, "veth", { index: 30, namespace: 0 })]),
    );
    assert.equal(ends["node:eth0"], undefined);
  });

  it("two links that fit are ambiguous, and none is chosen", () => {
    const ends = connect(
      makeState("node", [makeLink("cali1", 11, "veth", { index: 3, namespace: 1 })]),
      makeState("a", [makeLink("eth0", 3, "veth", { index: 11, namespace: 0 })]),
      makeState("b", [makeLink("eth0", 3, "veth", { index: 11, namespace: 0 })]),
    );
    assert.equal(ends["node:cali1"], undefined);
  });

  it("the parent of a pod's macvlan link is in the namespace of its veth peer, else on the node", () => {
    const parent = { index: 2, namespace: 0 };
    const ends = connect(
      makeState("node", [makeLink("eth0", 2, "device"), makeLink("vethil", 11, "veth", { index: 3, namespace: 1 })]),
      makeState("a", [
        makeLink("eth0", 2, "macvlan", parent),
        makeLink("veth0", 3, "veth", { index: 11, namespace: 0 }),
      ]),
      makeState("b", [makeLink("eth0", 2, "macvlan", parent)]),
    );
    assert.deepEqual(ends["a:eth0"], { namespace: "node", link: "eth0" });
    assert.deepEqual(ends["b:eth0"], { namespace: "node", link: "eth0" });
  });
});
