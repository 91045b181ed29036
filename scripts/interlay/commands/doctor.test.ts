import assert from "node:assert/strict";
import { createDoctorCommand } from "./doctor.ts";

describe("interlay doctor", () => {
  it("rejects a cluster by provider or name without --probe, instead of reading that of the kubeconfig", async () => {
    const command = createDoctorCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    await assert.rejects(
      command.parseAsync(["--name", "lab-1"], { from: "user" }),
      /--provider and --name need --probe; without it, --kubeconfig names the cluster/,
    );
  });
});
