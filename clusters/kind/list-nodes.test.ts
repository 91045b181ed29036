import assert from "node:assert/strict";
import { parseNodes } from "./list-nodes.ts";

const container = (name: string, role: string, address: string) => ({
  Name: `/${name}`,
  State: { Running: true },
  Config: { Image: "node:1", Labels: { "io.x-k8s.kind.role": role } },
  Mounts: [{ Destination: "/interlay/images", Source: "/cache/store" }],
  NetworkSettings: { Networks: { "one-underlay": { IPAddress: address } } },
});

describe("parseNodes", () => {
  it("reads names, roles and addresses, the control plane first", () => {
    const inspected = JSON.stringify([
      container("one-worker", "worker", "10.7.168.2"),
      container("one-control-plane", "control-plane", "10.7.168.1"),
    ]);
    assert.deepEqual(
      parseNodes(inspected, "one").map(({ name, role, address, imageStore }) => [name, role, address, imageStore]),
      [
        ["one-control-plane", "control-plane", "10.7.168.1", "/cache/store"],
        ["one-worker", "worker", "10.7.168.2", "/cache/store"],
      ],
    );
  });
});
