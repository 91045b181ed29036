import assert from "node:assert/strict";
import { get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describePod } from "./cluster-view.ts";
import { SOURCE } from "./ui-fixtures.ts";
import { startUiServer } from "./ui-server.ts";

describe("the server of a cluster's page", () => {
  let server: Server;
  let port: number;

  before(async () => {
    server = await startUiServer(SOURCE, 0);
    ({ port } = server.address() as AddressInfo);
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  const read = async (path: string, host = `127.0.0.1:${port}`): Promise<{ status: number; body: string }> => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ port, path, host: "127.0.0.1", headers: { host } }, resolve).on("error", reject);
    });
    return { status: response.statusCode ?? 0, body: await text(response) };
  };

  it("shows nodes, conditions that are not True, pools and pods, with the text of objects escaped", async () => {
    const { status, body } = await read("/");
    assert.equal(status, 200);
    for (const part of ["✗ not ready", "a &lt;rule&gt; drops", "10.7.0.0/16", "net1 10.7.200.2"])
      assert.ok(body.includes(part), part);
    assert.doesNotMatch(body, /id="trace"/);
  });

  it("answers the tables alone for an update", async () => {
    const { body } = await read("/live");
    assert.match(body, /^<h2>Cluster/);
    assert.doesNotMatch(body, /<form/);
  });

  it("traces a connection between two pods of the page", async () => {
    const { body } = await read("/?from=default/overlay&to=default/underlay&port=80");
    assert.match(body, /tcp from default\/overlay to default\/underlay:80 passes/);
    assert.match(body, /<option selected>default\/underlay/);
  });

  it("says why it does not trace: an unknown pod, an invalid port", async () => {
    const unknown = await read("/?from=default/overlay&to=<b>&port=80");
    assert.match(unknown.body, /No pod &lt;b&gt; runs\./);
    assert.match((await read("/?from=default/overlay&to=default/underlay&port=0")).body, /Invalid port &quot;0&quot;/);
  });

  it("refuses a name of another site that resolves to this computer, and unknown paths", async () => {
    assert.equal((await read("/", "attacker.example")).status, 421);
    assert.equal((await read("/secret")).status, 404);
  });
});

describe("a pod on the page of a cluster", () => {
  const networkStatus = JSON.stringify([
    { name: "k8s-pod-network", ips: ["10.233.64.10"], default: true },
    { name: "interlay-system/underlay", interface: "net1", ips: ["10.7.200.2"] },
  ]);
  const pod = (annotations: Readonly<Record<string, string>>, phase = "Running", hostNetwork = false) => ({
    metadata: { namespace: "a", name: "b", annotations },
    spec: { nodeName: "worker", hostNetwork },
    status: { phase, podIP: "10.233.64.10" },
  });

  it("has the type of its annotation, and the NICs that Multus has written", () => {
    const annotations = { "k8s.v1.cni.cncf.io/networks": "x", "k8s.v1.cni.cncf.io/network-status": networkStatus };
    assert.deepEqual(describePod(pod(annotations)), {
      name: "a/b",
      node: "worker",
      type: "multi-nic",
      nics: ["eth0 10.233.64.10", "net1 10.7.200.2"],
    });
  });

  it("has its address if Multus has written nothing, or something else", () => {
    for (const annotations of [{}, { "k8s.v1.cni.cncf.io/network-status": "{" }])
      assert.deepEqual(describePod(pod(annotations))?.nics, ["eth0 10.233.64.10"]);
  });

  it("is left out if it does not run, or uses its node's network", () => {
    assert.equal(describePod(pod({}, "Pending")), undefined);
    assert.equal(describePod(pod({}, "Running", true)), undefined);
  });
});
