import assert from "node:assert/strict";
import { OWNER_LABEL } from "../../clusters/provider/provider.ts";
import { FakeApiServer } from "./fake-api-server.ts";
import { ClusterJob } from "./cluster-job.ts";
import { buildManifests } from "./manifests.ts";
import { packResults } from "./results-map.ts";

const MANIFESTS = buildManifests({ suite: "suite", probe: "probe", e2e: [], clusterAdmin: false });
const NAMESPACE = "/api/v1/namespaces/interlay-e2e";
const RESULTS = `${NAMESPACE}/configmaps/results`;
const JOB = "/apis/batch/v1/namespaces/interlay-e2e/jobs/interlay-e2e";
const NEVER = new AbortController().signal;

describe("a run of the suite in a cluster", function () {
  this.timeout(20_000);
  let server: FakeApiServer;
  let job: ClusterJob;
  beforeEach(async () => {
    server = new FakeApiServer();
    job = new ClusterJob(await server.start());
  });
  afterEach(() => {
    server.stop();
  });

  /** Lets the Job end at once. */
  function endJobs(results?: ReturnType<typeof packResults>): void {
    server.onCreate = (path, object) => {
      if (path !== JOB) return;
      server.objects.set(path, Object.assign(object, { status: { conditions: [{ type: "Failed", status: "True" }] } }));
      if (results === undefined) return;
      const metadata = { name: "results", labels: { [OWNER_LABEL]: "e2e" } };
      server.objects.set(RESULTS, Object.assign({ metadata }, results));
    };
  }

  it("leaves its results, and nothing in the cluster", async () => {
    endJobs(packResults(new Map([["report.json", Buffer.from("{}")]]), 1));
    await job.create(MANIFESTS);
    await job.wait(undefined, NEVER);
    const { exitStatus, files } = await job.fetchResults();
    assert.equal(exitStatus, 1);
    assert.equal(files.get("report.json")?.toString(), "{}");
    await job.remove();
    assert.deepEqual([...server.objects.keys()], []);
  });

  it("removes the Job before the permissions with which its pod restores the cluster", async () => {
    await job.create(MANIFESTS);
    await job.remove();
    const removed = server.changes.filter((change) => change.startsWith("DELETE"));
    assert.equal(removed[0], `DELETE ${JOB}`);
    assert.ok(removed.some((change) => change.endsWith("/clusterroles/interlay-e2e")));
  });

  it("keeps a namespace that the user prepared", async () => {
    const claim = `${NAMESPACE}/persistentvolumeclaims/disk`;
    server.objects.set(NAMESPACE, { metadata: { name: "interlay-e2e" } });
    server.objects.set(claim, { metadata: { name: "disk" } });
    await job.create(MANIFESTS);
    await job.remove();
    assert.deepEqual([...server.objects.keys()], [NAMESPACE, claim]);
  });

  it("is refused while another one is there", async () => {
    await job.create(MANIFESTS);
    await assert.rejects(job.create(MANIFESTS), /Job interlay-e2e\/interlay-e2e exists/);
  });

  it("ends with an error if it left no results", async () => {
    endJobs();
    await job.create(MANIFESTS);
    await job.wait(undefined, NEVER);
    await assert.rejects(job.fetchResults(), /the run ended without results/);
  });

  it("ends the wait when it is interrupted", async () => {
    await job.create(MANIFESTS);
    const stop = new AbortController();
    setTimeout(() => {
      stop.abort(new Error("SIGINT"));
    }, 200);
    await assert.rejects(job.wait(undefined, stop.signal), /SIGINT/);
  });
});
