import assert from "node:assert/strict";
import type { Environment } from "../../spec/environment.ts";
import type { EnvironmentSpec } from "../../spec/environment-spec.ts";
import { DEFAULT_SPEC } from "../../spec/cluster-spec.ts";
import { setFamilies } from "../../spec/address-ranges.ts";
import { planMachines } from "./machine-addresses.ts";
import { listBridges, listLinks } from "./topology.ts";

describe("the lab's topology", () => {
  const spec = { ...DEFAULT_SPEC, name: "x" };
  const makeMachines = (topology: NonNullable<EnvironmentSpec["topology"]>) =>
    planMachines({ ...spec, environment: { spec: { topology } } as unknown as Environment });

  it("connects every machine to one bridge, in both families", () => {
    const machines = planMachines(setFamilies(spec, "dual"));
    assert.deepEqual(listBridges(machines), [{ name: "br0", addresses: ["10.7.0.1/16", "fd00:10:7::1/64"] }]);
    assert.deepEqual(listLinks(machines, "x-worker"), [
      {
        name: "eth0",
        bridge: "br0",
        port: "m1",
        mac: "02:6c:61:62:00:01",
        addresses: ["10.7.168.71/16", "fd00:10:7::168:71/64"],
        gateways: ["10.7.0.1", "fd00:10:7::1"],
      },
    ]);
  });

  it("connects the machines of a rack to the rack's bridge and gateway", () => {
    const machines = makeMachines("racks");
    assert.deepEqual(
      listBridges(machines).map(({ name, addresses }) => `${name} ${addresses.join()}`),
      ["br0 10.7.168.1/24", "br1 10.7.169.1/24"],
    );
    const describeLink = (name: string) =>
      listLinks(machines, name).map(
        (link) => `${link.name} ${link.bridge} ${link.addresses.join()} ${link.gateways.join()}`,
      );
    assert.deepEqual(describeLink("x-control-plane"), ["eth0 br0 10.7.168.70/24 10.7.168.1"]);
    assert.deepEqual(describeLink("x-worker"), ["eth0 br0 10.7.168.71/24 10.7.168.1"]);
    assert.deepEqual(describeLink("x-worker2"), ["eth0 br1 10.7.169.72/24 10.7.169.1"]);
    assert.deepEqual(describeLink("x-external"), ["eth0 br0 10.7.168.127/24 10.7.168.1"]);
  });

  it("puts the InternalIP of a node with a management link on the second link, without a default route", () => {
    const machines = makeMachines("second-nic");
    assert.deepEqual(
      listLinks(machines, "x-worker").map(
        (link) => `${link.name} ${link.bridge} ${link.addresses.join()} ${link.gateways.join()}`,
      ),
      ["eth0 br-mgmt 192.168.50.71/24 192.168.50.1", "eth1 br0 10.7.168.71/16 "],
    );
    assert.deepEqual(
      listLinks(machines, "x-external").map(({ name, bridge }) => `${name} ${bridge}`),
      ["eth0 br0"],
    );
  });

  it("rejects an unknown machine", () => {
    assert.throws(() => listLinks(planMachines(spec), "y"), /unknown machine y/);
  });
});
