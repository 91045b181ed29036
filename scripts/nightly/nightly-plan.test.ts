import assert from "node:assert/strict";
import { ENVIRONMENTS } from "../../clusters/environments/registry.ts";
import { toArguments, environmentJobs, planNightly } from "./nightly-plan.ts";

describe("the night's plan", () => {
  const jobs = planNightly(["v1.29.15", "v1.34.1"]);

  it("has every combination once", () => {
    const names = jobs.map(({ name }) => name);
    assert.equal(names.length, 2 * 2 * 2 * 2);
    assert.equal(new Set(names).size, names.length);
  });

  for (const provider of ["lab", "kind"] as const)
    it(`runs ${provider} at every version, in both modes, dual stack as well`, () => {
      assert.deepEqual(
        jobs
          .filter((job) => job.provider === provider && job.family === "dual")
          .map(({ kubernetes, mode }) => `${kubernetes}/${mode}`),
        ["v1.29.15/iptables", "v1.29.15/nftables", "v1.34.1/iptables", "v1.34.1/nftables"],
      );
    });

  it("gives a job's command", () => {
    const [job] = jobs;
    assert.ok(job);
    assert.equal(
      toArguments(job).join(" "),
      "--provider lab --name nightly-lab-1-29-iptables-ipv4 --kubernetes v1.29.15 --kube-proxy v1.29.15/iptables --return-path liberal,notrack --family ipv4",
    );
  });

  it("runs every environment on every provider that can make it", () => {
    const planned = environmentJobs("v1.29.15").map((job) => [job.provider, toArguments(job).at(-1)]);
    const names = (provider: "kind" | "lab") =>
      ENVIRONMENTS.filter(({ providers }) => providers.includes(provider)).map(({ name }) => name);
    assert.deepEqual(planned, [
      ["lab", names("lab").join(",")],
      ["kind", names("kind").join(",")],
    ]);
    assert.ok(names("kind").length > 5 && names("lab").length > names("kind").length);
  });

  it("refuses what is no version", () => {
    assert.throws(() => planNightly(["1.29"]), /write v1\.29\.15/);
  });
});
