import assert from "node:assert/strict";
import { buildCluster, type ClusterChange } from "../../testing/trace-topology.ts";
import { checkPaths, type FailedPath } from "./trace-paths.ts";
import { listPaths, type ServicePort } from "./list-paths.ts";

const LISTENERS = [{ protocol: "tcp", family: "ipv4", address: "0.0.0.0", port: 8080 }] as const;
const SERVICE: ServicePort = { name: "default/kubernetes", address: "10.96.0.1", protocol: "tcp", port: 443 };
const PODS = ["pod-1", "twin-1", "mac-1", "peer-1", "pod-2", "twin-2", "mac-2", "peer-2"];

/** The cluster, with a program in each pod that listens on port 8080. */
function build(change: ClusterChange = {}) {
  const snapshot = buildCluster(change);
  return {
    ...snapshot,
    namespaces: snapshot.namespaces.map((one) =>
      PODS.includes(one.id)
        ? { ...one, node: `node-${one.id.at(-1) ?? ""}`, listeners: one.listeners ?? [...LISTENERS] }
        : { ...one, listeners: [] },
    ),
  };
}

const describePath = ({ source, request }: Pick<FailedPath, "source" | "request">) =>
  `${source.namespace.name} ${request.protocol} ${request.destination}`;

describe("paths of a cluster", () => {
  it("lead from a pod of each type on each node to another pod of each type there and on the next node", () => {
    const paths = listPaths(build(), { services: [] }).filter(({ source }) => source.node === "node-1");
    assert.deepEqual(
      paths
        .filter(({ request }) => request.protocol === "tcp")
        .map((path) => `${describePath(path)} ${path.request.port}`),
      ["pod-1", "mac-1", "node-1"].flatMap((source) =>
        ["10.244.1.3", "10.0.0.12", "10.244.2.3", "10.0.0.22"].map((address) => `${source} tcp ${address} 8080`),
      ),
    );
  });

  it("leave out pods that are not chosen, and ports where nothing listens", () => {
    const paths = listPaths(build({ "twin-1": { more: { listeners: [] } } }), {
      services: [],
      isPodChosen: (name) => name === "pod-1" || name === "twin-1",
    });
    assert.deepEqual(paths.map(describePath), [
      "pod-1 icmp 10.244.1.3",
      "node-1 icmp 10.244.1.3",
      "node-2 icmp 10.244.1.3",
    ]);
  });

  it("paths of a cluster fail where a node does not forward, with the node and what decides", () => {
    const change = { "node-2": { sysctls: { "net/ipv4/ip_forward": "0" } } };
    const { failed } = checkPaths(build(change), { services: [] });
    assert.ok(failed.length > 0);
    const ofPod = failed.filter(
      ({ source, request }) => source.namespace.id === "pod-1" && request.destination.startsWith("10.244."),
    );
    assert.deepEqual(
      ofPod.map((path) => `${describePath(path)}: ${path.failure.kind} in ${path.failure.namespace}`),
      ["tcp", "icmp"].map((protocol) => `pod-1 ${protocol} 10.244.2.3: forwarding-off in node-2`),
    );
  });

  it("to a Service that no rule translates fail, although they leave the snapshot", () => {
    const { failed } = checkPaths(build(), { services: [SERVICE] });
    assert.ok(failed.some((path) => describePath(path) === "node-1 tcp 10.96.0.1"));
    for (const { failure, request } of failed)
      if (request.destination === SERVICE.address) assert.equal(failure.kind, "no-translation");
  });
});
