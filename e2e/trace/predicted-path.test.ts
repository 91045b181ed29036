import assert from "node:assert/strict";
import { buildCluster } from "../../plugin/testing/trace-topology.ts";
import { buildTraceModel } from "../../plugin/trace/walk/build-trace-model.ts";
import { traceConnection } from "../../plugin/trace/walk/trace-connection.ts";
import { formatHop } from "../evidence/path.ts";
import { toPredictedPath } from "./predicted-path.ts";

const NAMES = { namespace: "interlay-e2e", workers: ["node-1", "node-2"] };

function predict(change: Parameters<typeof buildCluster>[0] = {}) {
  const request = { source: "pod-1", destination: "10.244.2.2", protocol: "tcp", port: 80 } as const;
  return toPredictedPath(traceConnection(buildTraceModel(buildCluster(change)), request), NAMES);
}

describe("predicted path of a cell", () => {
  it("names places and links as captures do, inside and outside of the tunnel", () => {
    assert.deepEqual(predict().request.map(formatHop), [
      "pod-1 eth0 out",
      "node-1 wire in",
      "node-1 vxlan out",
      "node-1 wire (vxlan) out",
      "node-2 wire (vxlan) in",
      "node-2 vxlan in",
      "node-2 wire out",
      "pod-2 eth0 in",
    ]);
  });

  it("has the addresses of the inner packet, with ports", () => {
    const { request } = predict();
    assert.deepEqual(
      new Set(request.map(({ source, destination }) => `${source} ${destination}`)),
      new Set(["10.244.1.2:40961 10.244.2.2:80"]),
    );
  });

  it("has the parents of macvlan links, which captures see", () => {
    const trace = (destination: string) => {
      const model = buildTraceModel(buildCluster());
      const request = { source: "mac-1", destination, protocol: "udp", port: 80 } as const;
      return toPredictedPath(traceConnection(model, request), NAMES).request.map(formatHop);
    };
    assert.deepEqual(trace("10.0.0.21"), ["mac-1 eth0 out", "node-1 wire out", "node-2 wire in", "mac-2 eth0 in"]);
    assert.deepEqual(trace("10.0.0.12"), ["mac-1 eth0 out", "node-1 wire in", "peer-1 eth0 in"]);
  });

  it("ends where the packet is lost, without a reply", () => {
    const { request, reply } = predict({ "node-2": { sysctls: { "net/ipv4/ip_forward": "0" } } });
    assert.equal(request.map(formatHop).at(-1), "node-2 vxlan in");
    assert.deepEqual(reply, []);
  });
});
