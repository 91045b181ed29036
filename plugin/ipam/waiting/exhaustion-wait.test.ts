import assert from "node:assert/strict";
import { CniError, CODE } from "../../cni/error.ts";
import { ExhaustionWait } from "./exhaustion-wait.ts";

describe("ExhaustionWait", () => {
  let now: number;
  const wait = () =>
    new ExhaustionWait({
      now: () => now,
      sleep: (milliseconds) => {
        now += milliseconds;
        return Promise.resolve();
      },
    });
  const full = (): Promise<never> => Promise.reject(new CniError(CODE.noAddress, "full"));
  const measure = async (waits: ExhaustionWait, key = "a", isWanted = () => true): Promise<number> => {
    const before = now;
    await assert.rejects(waits.run(key, full, isWanted), /full/);
    return now - before;
  };
  beforeEach(() => {
    now = 0;
  });

  it("waits longer with each call of a pod, up to 10 s", async () => {
    const waits = wait();
    const times: number[] = [];
    for (let call = 1; call <= 6; call++) times.push(await measure(waits));
    assert.deepEqual(times, [1000, 2000, 4000, 8000, 10_000, 10_000]);
    assert.equal(await measure(waits, "b"), 1000, "another pod");
  });
  it("returns the address as soon as one is free, and waits briefly the next time", async () => {
    const waits = wait();
    await measure(waits);
    let calls = 0;
    const result = await waits.run(
      "a",
      () => (++calls < 3 ? full() : Promise.resolve("10.7.200.1")),
      () => true,
    );
    assert.deepEqual([result, calls], ["10.7.200.1", 3]);
    assert.equal(await measure(waits), 1000);
  });
  it("does not wait for a pod that is being deleted", async () => {
    assert.equal(await measure(wait(), "a", () => false), 0);
  });
  it("lists pods that wait, until they get an address, are deleted or do not call for two minutes", async () => {
    const waits = wait();
    let isWanted = true;
    await measure(waits, "a", () => isWanted);
    await measure(waits, "b");
    assert.deepEqual(waits.listWaiting(), ["a", "b"]);
    isWanted = false;
    assert.deepEqual(waits.listWaiting(), ["b"]);
    await waits.run(
      "b",
      () => Promise.resolve("10.7.200.1"),
      () => true,
    );
    assert.deepEqual(waits.listWaiting(), []);
    await measure(waits, "c");
    now += 120_001;
    assert.deepEqual(waits.listWaiting(), []);
  });
  it("lists a pod during its first call", async () => {
    const waits = wait();
    let during: readonly string[] = [];
    const allocate = () => {
      during = waits.listWaiting();
      return full();
    };
    await assert.rejects(
      waits.run("a", allocate, () => true),
      /full/,
    );
    assert.deepEqual(during, ["a"]);
  });
  it("does not repeat calls that fail for another reason", async () => {
    let calls = 0;
    const fail = (): Promise<never> => {
      calls++;
      return Promise.reject(new CniError(CODE.tryAgainLater, "unreachable"));
    };
    await assert.rejects(
      wait().run("a", fail, () => true),
      /unreachable/,
    );
    assert.equal(calls, 1);
  });
});
