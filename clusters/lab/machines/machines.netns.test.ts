import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand, runOrThrow } from "../../components/run-command.ts";
import { DEFAULT_SPEC } from "../../spec/cluster-spec.ts";
import { buildMachineCommand } from "./nsenter.ts";
import { planMachines } from "./machine-addresses.ts";
import { addMachine, CNI_PROGRAMS, makeBridge, makeMachines, powerOff } from "./machines.ts";

describe("machines of a lab", () => {
  it("lose all processes of the machine and its pods when powered off, and answer again when recreated", async function () {
    this.timeout(60_000);
    const directory = await mkdtemp(join(tmpdir(), "interlay-machines-"));
    const machines = planMachines({ ...DEFAULT_SPEC, name: "power", workers: 1 });
    const [controlPlane, worker] = machines.nodes;
    assert.ok(controlPlane !== undefined && worker !== undefined);
    const programs = Object.fromEntries(CNI_PROGRAMS.map((name) => [name, "/usr/bin/true"]));
    const bridge = await makeBridge(machines);
    const processes = await makeMachines(bridge, machines, programs, directory);
    const findMachine = (name: string): number => processes.get(name) ?? 0;
    try {
      const reaches = async () =>
        (
          await runCommand(
            buildMachineCommand(findMachine(controlPlane.name), [
              "ping",
              "-n",
              "-q",
              "-c",
              "3",
              "-i",
              "0.2",
              "-W",
              "2",
              worker.address,
            ]),
          )
        ).exitCode === 0;
      assert.ok(await reaches(), "the new worker does not answer");
      // a program in a pod's network, which is not a child of the machine's first process
      await runOrThrow(buildMachineCommand(findMachine(worker.name), ["ip", "netns", "add", "pod"]));
      const inPod = runCommand(
        buildMachineCommand(findMachine(worker.name), ["nsenter", "--net=/run/netns/pod", "sleep", "300"]),
      );
      await runOrThrow(buildMachineCommand(findMachine(worker.name), ["touch", "/var/lib/mark"]));

      await powerOff(findMachine(worker.name));
      assert.notEqual((await inPod).exitCode, 0);
      assert.ok(!(await reaches()), "the machine answers after it was powered off");

      processes.set(worker.name, await addMachine(bridge, machines, worker, programs, directory));
      assert.ok(await reaches(), "the recreated machine does not answer");
      const { exitCode } = await runCommand(buildMachineCommand(findMachine(worker.name), ["ls", "/var/lib/mark"]));
      assert.notEqual(exitCode, 0, "the recreated machine has a file of the old one");
    } finally {
      for (const pid of [...processes.values(), bridge]) await powerOff(pid);
      await rm(directory, { recursive: true, force: true });
    }
  });
});
