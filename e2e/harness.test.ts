import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type * as HarnessModule from "./harness.ts";

/** INTERLAY_HARNESS names another file to test; the mutants of the harness use it. */
const file = process.env["INTERLAY_HARNESS"] ?? join(import.meta.dirname, "harness.ts");
const { By, Consistently, currentSignal, DeferCleanup, Entry, Eventually, Harness, ...more } = (await import(
  file
)) as typeof HarnessModule;
const { withAbort, matchesLabels, parseSettings, Skip } = more;
type Harness = InstanceType<typeof HarnessModule.Harness>;
type Settings = HarnessModule.Settings;

/** Registers, runs and returns the summary with a log that the specs can write. */
async function run(register: (h: Harness, log: string[]) => void, settings: Settings = {}) {
  const h = new Harness();
  const log: string[] = [];
  register(h, log);
  const summary = await h.runSpecs({ reporter: "none", graceMs: 50, ...settings });
  const results = Object.fromEntries(summary.checks.map((check) => [check.name, check]));
  return { ...summary, log, results, counts: [summary.passed, summary.failed, summary.skipped] };
}
const names = (h: Harness, settings: Settings) =>
  h.selectSpecs(settings).flatMap(({ name, leftOut }) => (leftOut === undefined ? [name] : []));

describe("harness: specs", () => {
  it("reports a spec that passes and one that fails, by their full names", async () => {
    const { results, counts } = await run(({ Describe, It }) => {
      Describe("a", () => {
        It("passes", () => undefined);
        Describe("b", () => {
          It("fails", () => {
            throw new Error("boom");
          });
        });
      });
    });
    assert.deepEqual(counts, [1, 1, 0]);
    assert.equal(results["a passes"]?.status, "passed");
    assert.deepEqual([results["a b fails"]?.status, results["a b fails"]?.error], ["failed", "boom"]);
  });

  it("awaits an asynchronous body", async () => {
    const { counts } = await run(({ It }) => {
      It("rejects late", async () => {
        await sleep(5);
        throw new Error("late");
      });
    });
    assert.deepEqual(counts, [0, 1, 0]);
  });

  it("takes a thrown value that is not an Error", async () => {
    const { results } = await run(({ It }) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      It("one", () => Promise.reject("text"));
    });
    assert.equal(results["one"]?.error, "text");
  });

  it("has registered every spec before the first one runs", async () => {
    const { results } = await run((h) => {
      h.Describe("a", () => {
        h.It("registers another", () => {
          h.It("late", () => undefined);
        });
      });
    });
    assert.match(results["a registers another"]?.error ?? "", /after the run had begun/);
  });

  it("refuses to run twice", async () => {
    const h = new Harness();
    h.It("one", () => undefined);
    await h.runSpecs({ reporter: "none" });
    await assert.rejects(h.runSpecs({ reporter: "none" }), /runs once/);
  });

  it("fails a run in which nothing is registered", async () => {
    const { failed, checks } = await run(() => undefined);
    assert.equal(failed, 1);
    assert.match(checks[0]?.error ?? "", /nothing was selected/);
  });

  it("fails a run whose filter fits nothing, and names the filter", async () => {
    const { failed, skipped, checks } = await run(
      ({ It }) => {
        It("one", () => undefined);
      },
      { filter: "two" },
    );
    assert.deepEqual([failed, skipped], [1, 1]);
    assert.match(checks.at(-1)?.error ?? "", /1 specs are registered.*--filter "two"/);
  });

  it("skips a pending spec", async () => {
    const { results } = await run(({ It, PIt }) => {
      It("one", () => undefined);
      PIt("two");
    });
    assert.deepEqual([results["two"]?.status, results["two"]?.error], ["skipped", "pending"]);
  });

  it("measures seconds", async () => {
    const { results } = await run(({ It }) => {
      It("one", () => sleep(60));
    });
    assert.ok((results["one"]?.seconds ?? 0) >= 0.05 && (results["one"]?.seconds ?? 9) < 5);
  });
});

describe("harness: timeouts", () => {
  it("aborts a body at its timeout, and names the step", async () => {
    const { results } = await run(({ It }) => {
      It("one", { timeout: 20 }, () =>
        By("wait for ever", () =>
          Eventually(
            "it",
            () => 1,
            () => false,
            { timeout: 60_000 },
          ),
        ),
      );
    });
    assert.match(results["one"]?.error ?? "", /timed out after 20 ms, during "wait for ever"/);
  });

  it("gives the body a signal that is aborted at the timeout", async () => {
    let aborted = false;
    await run(({ It }) => {
      It("one", { timeout: 20 }, async ({ signal }) => {
        await once(signal, "abort");
        aborted = true;
      });
    });
    assert.equal(aborted, true);
  });

  it("fails a body that returned normally after its timeout", async () => {
    const { counts } = await run(({ It }) => {
      It("one", { timeout: 10 }, async ({ signal }) => {
        await once(signal, "abort");
      });
    });
    assert.deepEqual(counts, [0, 1, 0]);
  });

  it("runs the cleanups of a spec that hangs before the next spec begins", async () => {
    const { log, results } = await run(({ It }, log) => {
      It("hangs", { timeout: 20 }, async () => {
        DeferCleanup(() => log.push("cleanup"));
        await new Promise(() => undefined);
      });
      It("next", () => {
        log.push("next");
      });
    });
    assert.deepEqual(log, ["cleanup", "next"]);
    assert.match(results["hangs"]?.error ?? "", /has not ended 50 ms later/);
  });

  it("lets an aborted body end before its cleanups run", async () => {
    const { log } = await run(({ It }, log) => {
      It("one", { timeout: 20 }, async ({ signal }) => {
        DeferCleanup(() => log.push("cleanup"));
        await once(signal, "abort");
        await sleep(10);
        log.push("body ended");
      });
    });
    assert.deepEqual(log, ["body ended", "cleanup"]);
  });

  it("runs a cleanup at once that a late body defers after the end of its spec", async () => {
    const { log } = await run(({ It }, log) => {
      It("late", { timeout: 10 }, async () => {
        await sleep(100);
        DeferCleanup(() => log.push("late cleanup"));
      });
      It("next", async () => {
        DeferCleanup(() => log.push("cleanup of next"));
        await sleep(100);
        log.push("end of next");
      });
    });
    assert.deepEqual(log, ["late cleanup", "end of next", "cleanup of next"]);
  });

  it("limits no time where the timeout is 0", async () => {
    const { counts } = await run(({ It }) => {
      It("one", { timeout: 0 }, () => sleep(30));
    });
    assert.deepEqual(counts, [1, 0, 0]);
  });

  it("takes the timeout of the group, unless the spec has its own", async () => {
    const { results } = await run(({ Describe, It }) => {
      Describe("g", { timeout: 20 }, () => {
        It("inherits", ({ signal }) => once(signal, "abort"));
        It("has its own", { timeout: 5000 }, () => sleep(60));
      });
    });
    assert.equal(results["g inherits"]?.status, "failed");
    assert.equal(results["g has its own"]?.status, "passed");
  });

  it("aborts a hook at its timeout, and skips the group", async () => {
    const { results } = await run(({ BeforeAll, Describe, It }) => {
      Describe("g", () => {
        BeforeAll(({ signal }) => once(signal, "abort"), { timeout: 20 });
        It("one", () => undefined);
      });
    });
    assert.match(results["g (BeforeAll)"]?.error ?? "", /timed out after 20 ms/);
    assert.equal(results["g one"]?.status, "skipped");
  });
});

describe("harness: hooks", () => {
  it("runs hooks and cleanups in ginkgo's order", async () => {
    const { log, hooks } = await run((h, log) => {
      const say = (text: string) => () => void log.push(text);
      h.BeforeSuite(say("BeforeSuite"));
      h.AfterSuite(say("AfterSuite"));
      h.Describe("outer", () => {
        h.BeforeAll(() => {
          log.push("BeforeAll");
          DeferCleanup(say("cleanup of BeforeAll"));
        });
        h.AfterAll(say("AfterAll"));
        h.BeforeEach(say("outer BeforeEach"));
        h.AfterEach(say("outer AfterEach"));
        h.Describe("inner", () => {
          h.BeforeEach(() => {
            log.push("inner BeforeEach");
            DeferCleanup(say("cleanup of BeforeEach"));
          });
          h.AfterEach(say("inner AfterEach"));
          h.It("one", () => {
            log.push("one");
            DeferCleanup(say("cleanup of one"));
          });
        });
        h.It("two", say("two"));
      });
    });
    assert.deepEqual(log, [
      "BeforeSuite",
      "BeforeAll",
      "outer BeforeEach",
      "inner BeforeEach",
      "one",
      "inner AfterEach",
      "outer AfterEach",
      "cleanup of one",
      "cleanup of BeforeEach",
      "outer BeforeEach",
      "two",
      "outer AfterEach",
      "AfterAll",
      "cleanup of BeforeAll",
      "AfterSuite",
    ]);
    assert.deepEqual(
      hooks.map(({ name }) => name),
      ["(BeforeSuite)", "outer (BeforeAll)", "outer (AfterAll)", "outer (DeferCleanup)", "(AfterSuite)"],
    );
  });

  it("reports a failed BeforeAll, skips its specs and those of inner groups, and still cleans up", async () => {
    const { log, results, counts } = await run((h, log) => {
      h.Describe("g", () => {
        h.BeforeAll(() => {
          DeferCleanup(() => log.push("cleanup"));
          throw new Error("no pods");
        });
        h.AfterAll(() => void log.push("AfterAll"));
        h.It("one", () => void log.push("one"));
        h.Describe("inner", () => {
          h.BeforeAll(() => void log.push("inner BeforeAll"));
          h.It("two", () => void log.push("two"));
        });
      });
      h.It("other", () => void log.push("other"));
    });
    assert.deepEqual(log, ["other", "AfterAll", "cleanup"].toSorted(), undefined);
    assert.deepEqual(counts, [1, 1, 2]);
    assert.equal(results["g (BeforeAll)"]?.error, "no pods");
    assert.match(results["g inner two"]?.error ?? "", /BeforeAll of "g" failed: no pods/);
  });

  it("skips everything after a failed BeforeSuite", async () => {
    const { counts, results } = await run((h) => {
      h.BeforeSuite(() => {
        throw new Error("no cluster");
      });
      h.It("one", () => undefined);
    });
    assert.deepEqual(counts, [0, 1, 1]);
    assert.equal(results["(BeforeSuite)"]?.error, "no cluster");
  });

  it("refuses BeforeSuite in a group", () => {
    const h = new Harness();
    assert.throws(() => {
      h.Describe("g", () => {
        h.BeforeSuite(() => undefined);
      });
    }, /BeforeSuite has to be called outside/);
  });

  it("fails a spec whose BeforeEach fails, without running it, but with AfterEach", async () => {
    const { log, results } = await run((h, log) => {
      h.BeforeEach(() => {
        throw new Error("not ready");
      });
      h.AfterEach(() => void log.push("AfterEach"));
      h.It("one", () => void log.push("one"));
    });
    assert.deepEqual(log, ["AfterEach"]);
    assert.equal(results["one"]?.error, "not ready");
  });

  it("fails a spec whose AfterEach fails, behind the spec's own error", async () => {
    const { results } = await run((h) => {
      h.AfterEach(() => {
        throw new Error("second");
      });
      h.It("one", () => {
        throw new Error("first");
      });
      h.It("two", () => undefined);
    });
    assert.equal(results["one"]?.error, "first\nthen: AfterEach: second");
    assert.equal(results["two"]?.error, "AfterEach: second");
  });

  it("reports a failed AfterAll", async () => {
    const { failed, results } = await run((h) => {
      h.Describe("g", () => {
        h.AfterAll(() => {
          throw new Error("left");
        });
        h.It("one", () => undefined);
      });
    });
    assert.equal(failed, 1);
    assert.equal(results["g (AfterAll)"]?.error, "left");
  });

  it("runs no hook of a group whose specs are all left out", async () => {
    const { log } = await run(
      (h, log) => {
        h.Describe("a", { labels: ["a"] }, () => {
          h.BeforeAll(() => void log.push("a"));
          h.It("one", () => undefined);
        });
        h.Describe("b", { labels: ["b"] }, () => {
          h.BeforeAll(() => void log.push("b"));
          h.It("two", () => undefined);
        });
      },
      { label: "b" },
    );
    assert.deepEqual(log, ["b"]);
  });
});

describe("harness: cleanups", () => {
  it("runs them last in, first out", async () => {
    const { log } = await run(({ It }, log) => {
      It("one", () => {
        for (const text of ["a", "b", "c"]) DeferCleanup(() => log.push(text));
      });
    });
    assert.deepEqual(log, ["c", "b", "a"]);
  });

  it("fails a passed spec whose cleanup fails", async () => {
    const { results } = await run(({ It }) => {
      It("one", () => {
        DeferCleanup(() => Promise.reject(new Error("stuck")));
      });
    });
    assert.deepEqual([results["one"]?.status, results["one"]?.error], ["failed", "cleanup: stuck"]);
  });

  it("keeps the spec's own error first when its cleanup fails too", async () => {
    const { results } = await run(({ It }) => {
      It("one", () => {
        DeferCleanup(() => {
          throw new Error("stuck");
        });
        throw new Error("first");
      });
    });
    assert.equal(results["one"]?.error, "first\nthen: cleanup: stuck");
  });

  it("runs the other cleanups when one fails", async () => {
    const { log } = await run(({ It }, log) => {
      It("one", () => {
        DeferCleanup(() => log.push("first"));
        DeferCleanup(() => {
          throw new Error("stuck");
        });
      });
    });
    assert.deepEqual(log, ["first"]);
  });

  it("runs a cleanup that a cleanup defers", async () => {
    const { log } = await run(({ It }, log) => {
      It("one", () => {
        DeferCleanup(() => {
          DeferCleanup(() => log.push("inner"));
        });
      });
    });
    assert.deepEqual(log, ["inner"]);
  });

  it("reports a failed cleanup of BeforeAll as a result of the group", async () => {
    const { failed, results } = await run((h) => {
      h.Describe("g", () => {
        h.BeforeAll(() => {
          DeferCleanup(() => {
            throw new Error("namespace stays");
          });
        });
        h.It("one", () => undefined);
      });
    });
    assert.equal(failed, 1);
    assert.equal(results["g (DeferCleanup)"]?.error, "namespace stays");
  });

  it("fails a skipped spec whose cleanup fails", async () => {
    const { results } = await run(({ It }) => {
      It("one", () => {
        DeferCleanup(() => {
          throw new Error("stuck");
        });
        Skip("no IPv6");
      });
    });
    assert.deepEqual([results["one"]?.status, results["one"]?.error], ["failed", "cleanup: stuck"]);
  });

  it("refuses DeferCleanup outside of a spec and a hook", () => {
    assert.throws(() => {
      DeferCleanup(() => undefined);
    }, /in a spec or a hook/);
  });
});

describe("harness: Skip", () => {
  const reason = async (register: (h: Harness) => void) => {
    const { results, failed } = await run(register);
    assert.equal(failed, 0, JSON.stringify(results));
    return [results["g one"]?.status, results["g one"]?.error];
  };
  const places: Readonly<Record<string, (h: Harness) => void>> = {
    "a spec": (h) => {
      h.It("one", () => Skip("no IPv6"));
    },
    "a step": (h) => {
      h.It("one", () => By("look", () => Skip("no IPv6")));
    },
    "a look of Eventually": (h) => {
      h.It("one", () =>
        Eventually(
          "it",
          () => Skip("no IPv6"),
          () => true,
        ),
      );
    },
    BeforeEach: (h) => {
      h.BeforeEach(() => Skip("no IPv6"));
      h.It("one", () => {
        throw new Error("ran");
      });
    },
    BeforeAll: (h) => {
      h.BeforeAll(() => Skip("no IPv6"));
      h.It("one", () => {
        throw new Error("ran");
      });
    },
  };
  for (const [place, register] of Object.entries(places))
    it(`skips with its reason from ${place}`, async () => {
      const found = await reason((h) => {
        h.Describe("g", () => {
          register(h);
        });
      });
      assert.deepEqual(found, ["skipped", "no IPv6"]);
    });
});

describe("harness: steps", () => {
  it("reports steps within steps, with their status", async () => {
    const { results } = await run(({ It }) => {
      It("one", async ({ step }) => {
        await step("a", () => step("b", () => 1));
        await step("c", () => {
          throw new Error("boom");
        });
      });
    });
    const steps = results["one"]?.steps ?? [];
    assert.deepEqual(
      steps.map(({ name, status, error }) => [name, status, error]),
      [
        ["a", "passed", undefined],
        ["c", "failed", "boom"],
      ],
    );
    assert.equal(steps[0]?.steps?.[0]?.name, "b");
  });

  it("names the innermost step in the error, once", async () => {
    const { results } = await run(({ It }) => {
      It("one", () => By("outer", () => By("inner", () => Promise.reject(new Error("boom")))));
    });
    assert.equal(results["one"]?.error, "inner: boom");
  });

  it("blames no step that is over: an error that was caught leaves nothing", async () => {
    const { results } = await run(({ It }) => {
      It("one", async () => {
        await By("caught", () => Promise.reject(new Error("x"))).catch(() => undefined);
        throw new Error("later");
      });
    });
    assert.equal(results["one"]?.error, "later");
  });

  it("keeps steps that run at the same time apart", async () => {
    const { results } = await run(({ It }) => {
      It("one", async () => {
        await Promise.all([By("slow", () => sleep(20)), By("fast", () => Promise.reject(new Error("boom")))]);
      });
    });
    assert.equal(results["one"]?.error, "fast: boom");
    assert.equal(results["one"].steps?.length, 2);
  });

  it("returns the body's value, also outside of a spec", async () => {
    assert.equal(await By("x", () => 42), 42);
  });
});

describe("harness: Eventually and Consistently", () => {
  it("returns the first value that is accepted", async () => {
    let count = 0;
    const value = await Eventually(
      "three",
      () => ++count,
      (n) => n === 3,
      { interval: 1 },
    );
    assert.equal(value, 3);
  });

  it("repeats a look that throws, and names the last error at the deadline", async () => {
    const look = () => Promise.reject(new Error("refused"));
    await assert.rejects(
      Eventually("an answer", look, () => true, { timeout: 20, interval: 5 }),
      /an answer did not come true in 20 ms; last error: refused/,
    );
  });

  it("names the last value at the deadline", async () => {
    await assert.rejects(
      Eventually(
        "two",
        () => ({ n: 1 }),
        () => false,
        { timeout: 10, interval: 5 },
      ),
      /last seen: \{"n":1\}/,
    );
  });

  it("ends at once when its spec is aborted, also while a look hangs", async () => {
    const started = performance.now();
    const { results } = await run(({ It }) => {
      It("one", { timeout: 30 }, () =>
        Eventually(
          "it",
          () => new Promise(() => undefined),
          () => true,
        ),
      );
    });
    assert.match(results["one"]?.error ?? "", /timed out after 30 ms/);
    assert.ok(performance.now() - started < 3000);
    assert.doesNotMatch(results["one"]?.error ?? "", /has not ended/);
  });

  it("passes a signal to the look", async () => {
    const signal = await Eventually(
      "a signal",
      (parsed) => parsed,
      () => true,
    );
    assert.ok(signal instanceof AbortSignal);
  });

  it("fails Consistently by the first value that is refused", async () => {
    let count = 0;
    await assert.rejects(
      Consistently(
        "small",
        () => ++count,
        (n) => n < 3,
        { timeout: 1000, interval: 1 },
      ),
      /small did not stay true; seen: 3/,
    );
  });

  it("passes Consistently when every value is accepted", async () => {
    let count = 0;
    await Consistently(
      "any",
      () => ++count,
      () => true,
      { timeout: 200, interval: 1 },
    );
    assert.ok(count >= 2);
  });
});

describe("harness: interrupts and progress", () => {
  it("ends the running spec, skips the rest, runs cleanups and hooks", async () => {
    const { log, results, interrupted } = await run((h, log) => {
      h.Describe("g", () => {
        h.AfterAll(() => void log.push("AfterAll"));
        h.It("running", async ({ signal }) => {
          DeferCleanup(() => log.push("cleanup"));
          setTimeout(() => {
            h.interrupt("SIGINT");
          }, 10);
          await withAbort(new Promise(() => undefined), signal);
        });
        h.It("next", () => void log.push("next"));
      });
    });
    assert.equal(interrupted, "SIGINT");
    assert.deepEqual(log, ["cleanup", "AfterAll"]);
    assert.equal(results["g running"]?.error, "interrupted: SIGINT");
    assert.deepEqual([results["g next"]?.status, results["g next"]?.error], ["skipped", "interrupted: SIGINT"]);
  });

  it("does not abort a cleanup that runs", async () => {
    const { log } = await run((h, log) => {
      h.It("one", () => {
        DeferCleanup(async () => {
          h.interrupt("SIGINT");
          await Eventually(
            "a little time",
            () => sleep(10, true),
            (done) => done,
          );
          log.push("cleaned up");
        });
      });
    });
    assert.deepEqual(log, ["cleaned up"]);
  });

  it("says what runs, in which step", async () => {
    let text = "";
    await run((h) => {
      h.It("first", () => undefined);
      h.It("one", () =>
        By("outer", () =>
          By("inner", () => {
            text = h.describeProgress();
          }),
        ),
      );
    });
    assert.match(text, /^1 of 2 specs done; running: one, for [\d.]+ s\n {4}step: outer.*\n {4}step: inner/);
  });

  it("gives code below a spec the spec's signal, and outside one that is never aborted", async () => {
    let same = false;
    await run(({ It }) => {
      It("one", ({ signal }) => {
        same = currentSignal() === signal;
      });
    });
    assert.equal(same, true);
    assert.equal(currentSignal().aborted, false);
  });

  it("withAbort rejects with the signal's reason and passes a value on", async () => {
    assert.equal(await withAbort(Promise.resolve(1)), 1);
    await assert.rejects(withAbort(new Promise(() => undefined), AbortSignal.abort(new Error("over"))), /over/);
  });
});

describe("harness: selection", () => {
  const labelled = () => {
    const h = new Harness();
    h.Describe("a", { labels: ["slow"] }, () => {
      h.It("one", () => undefined);
      h.It("two", { labels: ["net"] }, () => undefined);
    });
    h.It("three", { labels: ["net"] }, () => undefined);
    return h;
  };

  it("adds the labels of groups to those of the spec", () => {
    assert.deepEqual(names(labelled(), { label: "slow && net" }), ["a two"]);
  });

  it("counts a spec that is left out as skipped, with the reason", async () => {
    const { counts, results } = await run(
      ({ It }) => {
        It("one", { labels: ["a"] }, () => undefined);
        It("two", { labels: ["b"] }, () => undefined);
      },
      { label: "a" },
    );
    assert.deepEqual(counts, [1, 0, 1]);
    assert.equal(results["two"]?.error, 'left out by --label "a"');
  });

  it("filters by a regular expression over the full name", () => {
    assert.deepEqual(names(labelled(), { filter: "^a t" }), ["a two"]);
  });

  it("runs what is focused alone, in whatever group it was registered", () => {
    const ci = process.env["CI"];
    delete process.env["CI"];
    try {
      const h = labelled();
      h.FIt("four", () => undefined);
      assert.deepEqual(names(h, {}), ["four"]);
      const other = labelled();
      other.FDescribe("f", () => {
        other.It("five", () => undefined);
      });
      assert.deepEqual(names(other, {}), ["f five"]);
    } finally {
      if (ci !== undefined) process.env["CI"] = ci;
    }
  });

  it("refuses a focus in CI", () => {
    const ci = process.env["CI"];
    process.env["CI"] = "true";
    try {
      assert.throws(() => {
        new Harness().FIt("one", () => undefined);
      }, /"one" is focused/);
    } finally {
      if (ci === undefined) delete process.env["CI"];
      else process.env["CI"] = ci;
    }
  });

  it("splits the specs into shards: each spec is in exactly one", () => {
    const h = () => {
      const created = new Harness();
      for (let n = 0; n < 7; n++) created.It(`s${n}`, () => undefined);
      return created;
    };
    const parts = ["1/3", "2/3", "3/3"].map((shard) => names(h(), { shard }));
    assert.deepEqual(parts.flat().toSorted(), ["s0", "s1", "s2", "s3", "s4", "s5", "s6"]);
    assert.ok(parts.every((part) => part.length >= 2));
  });

  it("keeps an ordered group in one shard, and serial specs in the first", () => {
    const make = () => {
      const h = new Harness();
      h.Describe("o", { ordered: true }, () => {
        for (const n of [1, 2, 3]) h.It(`${n}`, () => undefined);
      });
      h.It("serial", { serial: true }, () => undefined);
      h.It("last", () => undefined);
      return h;
    };
    assert.deepEqual(names(make(), { shard: "1/2" }), ["o 1", "o 2", "o 3", "serial"]);
    assert.deepEqual(names(make(), { shard: "2/2" }), ["last"]);
  });

  for (const shard of ["0/3", "4/3", "x", "1/0"])
    it(`refuses the shard ${shard}`, () => {
      assert.throws(() => names(labelled(), { shard }), /invalid --shard/);
    });

  it("shuffles by a seed: the same order for the same seed, every spec once", () => {
    const make = () => {
      const h = new Harness();
      for (let n = 0; n < 12; n++) h.It(`s${n}`, () => undefined);
      return h;
    };
    const one = names(make(), { shuffle: 7 });
    assert.deepEqual(one, names(make(), { shuffle: 7 }));
    assert.notDeepEqual(one, names(make(), {}));
    assert.notDeepEqual(one, names(make(), { shuffle: 8 }));
    assert.deepEqual(one.toSorted(), names(make(), {}).toSorted());
  });

  it("does not shuffle an ordered group, and leaves serial specs last", () => {
    for (let seed = 0; seed < 10; seed++) {
      const h = new Harness();
      h.It("serial", { serial: true }, () => undefined);
      h.Describe("o", { ordered: true }, () => {
        for (const n of [1, 2, 3, 4]) h.It(`${n}`, () => undefined);
      });
      h.It("x", () => undefined);
      const order = names(h, { shuffle: seed });
      assert.deepEqual(
        order.filter((name) => name.startsWith("o")),
        ["o 1", "o 2", "o 3", "o 4"],
      );
      assert.equal(order.at(-1), "serial");
    }
  });

  it("runs in the shuffled order", async () => {
    const register = (h: Harness, log: string[]) => {
      for (let n = 0; n < 8; n++) h.It(`s${n}`, () => void log.push(`s${n}`));
    };
    const { log } = await run(register, { shuffle: 3 });
    const h = new Harness();
    register(h, []);
    assert.deepEqual(log, names(h, { shuffle: 3 }));
  });
});

describe("harness: groups of specs", () => {
  it("skips the rest of an ordered group after a failure, and goes on elsewhere", async () => {
    const { results, counts } = await run((h) => {
      h.Describe("o", { ordered: true }, () => {
        h.It("first", () => {
          throw new Error("boom");
        });
        h.It("second", () => undefined);
      });
      h.It("other", () => undefined);
    });
    assert.deepEqual(counts, [1, 1, 1]);
    assert.match(results["o second"]?.error ?? "", /an earlier spec of the ordered group failed: first/);
  });

  it("goes on after a failure in a group that is not ordered", async () => {
    const { counts } = await run((h) => {
      h.Describe("g", () => {
        h.It("first", () => {
          throw new Error("boom");
        });
        h.It("second", () => undefined);
      });
    });
    assert.deepEqual(counts, [1, 1, 0]);
  });

  it("skips everything after the first failure with failFast", async () => {
    const { counts, results } = await run(
      (h) => {
        h.It("first", () => {
          throw new Error("boom");
        });
        h.It("second", () => undefined);
      },
      { failFast: true },
    );
    assert.deepEqual(counts, [0, 1, 1]);
    assert.match(results["second"]?.error ?? "", /--fail-fast/);
  });

  it("runs a table's body for every entry, with its arguments and the context", async () => {
    const { log, counts } = await run((h, log) => {
      h.DescribeTable(
        "sum",
        (a: number, b: number, sum: number, { signal }) => {
          assert.equal(a + b, sum);
          log.push(`${a} ${signal.aborted}`);
        },
        [Entry("small", 1, 2, 3), Entry("wrong", 2, 2, 5)],
      );
    });
    assert.deepEqual(log, ["1 false"]);
    assert.deepEqual(counts, [1, 1, 0]);
  });
});

describe("harness: attempts", () => {
  const flaky = (failures: number) => {
    let tries = 0;
    return () => {
      if (++tries <= failures) throw new Error(`attempt ${tries}`);
    };
  };

  it("passes a spec with flakeAttempts at a later attempt, and says how many it took", async () => {
    const { results } = await run(({ It }) => {
      It("one", { flakeAttempts: 3 }, flaky(2));
    });
    assert.deepEqual([results["one"]?.status, results["one"]?.attempts], ["passed", 3]);
  });

  it("fails a spec that fails at every attempt, with the last error", async () => {
    const { results } = await run(({ It }) => {
      It("one", { flakeAttempts: 2 }, flaky(9));
    });
    assert.equal(results["one"]?.error, "attempt 2");
  });

  it("runs hooks and cleanups around every attempt", async () => {
    const { log } = await run((h, log) => {
      const body = flaky(1);
      h.BeforeEach(() => void log.push("before"));
      h.It("one", { flakeAttempts: 2 }, () => {
        DeferCleanup(() => log.push("cleanup"));
        body();
      });
    });
    assert.deepEqual(log, ["before", "cleanup", "before", "cleanup"]);
  });

  it("retries every spec with retry", async () => {
    const { counts } = await run(
      ({ It }) => {
        It("one", flaky(1));
      },
      { retry: 1 },
    );
    assert.deepEqual(counts, [1, 0, 0]);
  });

  it("runs a spec as often as repeat says, and fails it by one failure", async () => {
    let ran = 0;
    const { results } = await run(
      ({ It }) => {
        It("three times", () => {
          ran++;
        });
        It("fails the second time", () => {
          if (ran++ > 3) throw new Error("boom");
        });
      },
      { repeat: 3 },
    );
    assert.equal(results["three times"]?.attempts, 3);
    assert.equal(results["fails the second time"]?.status, "failed");
  });

  it("does not try a skipped spec again", async () => {
    let ran = 0;
    await run(({ It }) => {
      It("one", { flakeAttempts: 3 }, () => {
        ran++;
        Skip("no");
      });
    });
    assert.equal(ran, 1);
  });
});

describe("harness: sanitizers", () => {
  it("fails a group that leaves more than it found, after its cleanups", async () => {
    const links = ["eth0"];
    const { results } = await run((h) => {
      h.Describe("g", () => {
        h.Sanitize("links", () => Promise.resolve([...links]), { timeout: 20, interval: 5 });
        h.BeforeAll(() => {
          links.push("veth1");
          DeferCleanup(() => links.splice(links.indexOf("veth1"), 1));
        });
        h.It("leaks", () => void links.push("veth2"));
      });
    });
    assert.match(results["g (DeferCleanup)"]?.error ?? "", /no leaked links.*\["veth2"\]/);
  });

  it("passes a group that leaves nothing", async () => {
    const { counts } = await run((h) => {
      h.Describe("g", () => {
        h.Sanitize("links", () => Promise.resolve(["eth0"]));
        h.It("one", () => undefined);
      });
    });
    assert.deepEqual(counts, [1, 0, 0]);
  });

  it("fails a spec that leaves a child process", async () => {
    let child: ReturnType<typeof spawn> | undefined;
    const { results } = await run(({ It }) => {
      It("one", { sanitizeProcess: true }, () => {
        child = spawn("sleep", ["30"], { stdio: "ignore" });
      });
    });
    child?.kill();
    assert.match(results["one"]?.error ?? "", /left open in this process: ProcessWrap/);
  });

  it("fails a spec that leaves a server, and passes one that closes it", async () => {
    const server = createServer();
    const { results } = await run(({ It }) => {
      It("leaves", { sanitizeProcess: true }, () => once(server.listen(0, "127.0.0.1"), "listening"));
      It("closes", { sanitizeProcess: true }, async () => {
        const other = createServer();
        await once(other.listen(0, "127.0.0.1"), "listening");
        DeferCleanup(() => other.close());
      });
    });
    server.close();
    assert.match(results["leaves"]?.error ?? "", /TCPServerWrap/);
    assert.equal(results["closes"]?.status, "passed");
  });
});

describe("harness: label expressions", () => {
  const table: readonly (readonly [string, boolean])[] = [
    ["", true],
    ["a", true],
    ["c", false],
    ["a && b", true],
    ["a && c", false],
    ["c || b", true],
    ["!c", true],
    ["!(a || c)", false],
    ["c || a && b", true],
    ["(c || a) && !b", false],
    ["!!a", true],
  ];
  for (const [expression, expected] of table)
    it(`${expected ? "takes" : "leaves out"} a spec labelled a, b by "${expression}"`, () => {
      assert.equal(matchesLabels(expression, ["a", "b"]), expected);
    });
  for (const expression of ["a &&", "(a", "a b", "a & b", "|| a", "a)", "!"])
    it(`refuses "${expression}"`, () => {
      assert.throws(() => matchesLabels(expression, ["a"]), new RegExp("not a label expression|lacks|after its end"));
    });
});

describe("harness: the command line", () => {
  it("reads every flag", () => {
    const argv = "--label a --filter b --shard 1/2 --shuffle 7 --retry 1 --repeat 2 --fail-fast --list --reporter dot";
    assert.deepEqual(parseSettings(argv.split(" ")), {
      label: "a",
      filter: "b",
      shard: "1/2",
      shuffle: 7,
      retry: 1,
      repeat: 2,
      failFast: true,
      list: true,
      reporter: "dot",
    });
  });
  it("takes the label from the environment unless a flag names one", () => {
    assert.equal(parseSettings([], { INTERLAY_LABEL: "x" }).label, "x");
    assert.equal(parseSettings(["--label", "y"], { INTERLAY_LABEL: "x" }).label, "y");
  });
  for (const argv of [["--shuffle", "x"], ["--nosuch"], ["--retry", "-1"]])
    it(`refuses ${argv.join(" ")}`, () => {
      assert.throws(() => parseSettings(argv));
    });
});
