import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { countReopenedWatches, readRequests } from "./agent-requests.ts";
import { useDirectory } from "../../../plugin/testing/use-directory.ts";

const event = (auditID: string, second: number, requestURI = "/api/v1/pods?watch=true", source = "10.0.0.1") => ({
  auditID,
  verb: requestURI.includes("watch=true") ? "watch" : "list",
  requestURI,
  requestReceivedTimestamp: new Date(1000 * second).toISOString(),
  user: { username: "system:serviceaccount:interlay-system:interlay-agent" },
  sourceIPs: [source],
});

describe("requests in the audit log", () => {
  const directory = useDirectory();
  const read = (events: readonly object[], since: number) => {
    const file = join(directory, "audit.log");
    writeFileSync(file, events.map((one) => `${JSON.stringify(one)}\n`).join(""));
    return readRequests(file, new Date(1000 * since));
  };

  it("counts a watch once, at its start", async () => {
    const requests = await read([event("a", 1), event("b", 11), event("a", 1), event("b", 11)], 10);
    assert.deepEqual(
      requests.map(({ account, source, received }) => [account, source, received]),
      [["interlay-agent", "10.0.0.1", 11_000]],
    );
  });

  it("fails if the log begins after the time", async () => {
    await assert.rejects(read([event("a", 11)], 10), /has no requests from before/);
  });

  it("counts the watches of one kind and one agent within a time, whatever their versions", async () => {
    const watch = (version: number) => `/api/v1/pods?resourceVersion=${version}&watch=true`;
    const requests = await read(
      [
        event("before", 1),
        ...[event("a", 11, watch(1)), event("b", 50, watch(2)), event("c", 400, watch(3))],
        ...[event("d", 12, watch(1), "10.0.0.2"), event("e", 13, "/api/v1/nodes?watch=true")],
      ],
      10,
    );
    assert.deepEqual([countReopenedWatches(requests, 300_000), countReopenedWatches([], 1)], [2, 0]);
  });
});
