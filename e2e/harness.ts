/**
 * The test harness, in one file: ginkgo's words on mocha, run by tsx, Deno-style (`npx tsx e2e/matrix.e2e.ts` runs one
 * spec alone). It knows nothing of the project but the results' schema.
 */
import { setTimeout as sleep } from "node:timers/promises";
import Mocha from "mocha";
import type { CheckResult } from "../results/schema.ts";

type Body = () => void | Promise<void>;
interface Options {
  readonly labels?: readonly string[];
  /** Milliseconds for this spec or hook; 0 is none. */
  readonly timeout?: number;
}
type Cleanup = () => unknown;

const DEFAULT_TIMEOUT_MS = 120_000;

export interface RunSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly checks: readonly CheckResult[];
}

const mocha = new Mocha({ ui: "bdd", timeout: DEFAULT_TIMEOUT_MS, reporter: "spec", allowUncaught: false });
/** Its own: the global words stay those of a mocha that has loaded this file, as the unit tests' does. */
const words = {} as Mocha.MochaGlobals;
mocha.suite.emit("pre-require", words, "", mocha);
const { describe, it, before, beforeEach, after } = words;

const labelStack: (readonly string[])[] = [];
/** Cleanups registered by a running hook belong to its suite, those of a running spec to that spec. */
const suiteCleanups = new Map<Mocha.Suite, Cleanup[]>();
let specCleanups: Cleanup[] | undefined;
let runningSuite: Mocha.Suite | undefined;
let currentStep: string | undefined;
let scheduled = false;
const checks: CheckResult[] = [];

let settle: (summary: RunSummary) => void = () => undefined;
/** Settles when every spec that was registered has run. */
export const finished = new Promise<RunSummary>((resolve) => (settle = resolve));

/** A group of specs. Its body only registers. */
export function Describe(title: string, body: () => void): void;
export function Describe(title: string, options: Options, body: () => void): void;
export function Describe(title: string, optionsOrBody: Options | (() => void), maybeBody?: () => void): void {
  const [options, body] = overload(optionsOrBody, maybeBody);
  schedule();
  const suite = describe(title, function () {
    suiteCleanups.set(this, []);
    labelStack.push(options.labels ?? []);
    try {
      body();
    } finally {
      labelStack.pop();
    }
    after(async function () {
      this.timeout(DEFAULT_TIMEOUT_MS);
      await runCleanups(suiteCleanups.get(suite) ?? []);
    });
  });
}
export const Context = Describe;

/** A spec. Left out (and counted as skipped) when the label filter says so. */
export function It(title: string, body: Body): void;
export function It(title: string, options: Options, body: Body): void;
export function It(title: string, optionsOrBody: Options | Body, maybeBody?: Body): void {
  register(it, title, ...overload(optionsOrBody, maybeBody));
}

/** The only spec to run. Refused in CI: a forgotten focus would make everything else pass. */
export function FIt(title: string, body: Body): void {
  if (process.env["CI"]) throw new Error(`"${title}" is focused (FIt): not in CI`);
  register((name, run) => it.only(name, run), title, {}, body);
}

function register(
  define: (title: string, run: Mocha.AsyncFunc) => unknown,
  title: string,
  options: Options,
  body: Body,
): void {
  const labels = [...labelStack.flat(), ...(options.labels ?? [])];
  if (!matchesLabels(process.env["INTERLAY_LABEL"] ?? "", labels)) {
    it.skip(title);
    return;
  }
  define(title, async function () {
    this.timeout(options.timeout ?? DEFAULT_TIMEOUT_MS);
    const cleanups: Cleanup[] = [];
    specCleanups = cleanups;
    currentStep = undefined;
    const started = performance.now();
    const record = (status: CheckResult["status"], error?: string): void => {
      const name = this.test?.fullTitle() ?? title;
      checks.push({
        name,
        status,
        seconds: (performance.now() - started) / 1000,
        ...(error === undefined ? {} : { error }),
      });
    };
    try {
      await withStep(body);
      record("passed");
    } catch (error) {
      record(error instanceof SkipError ? "skipped" : "failed", messageOf(error));
      if (!(error instanceof SkipError)) throw error;
      process.stdout.write(`      skipped: ${error.message}\n`);
      this.skip();
    } finally {
      specCleanups = undefined;
      await runCleanups(cleanups);
    }
  });
}

/** Once before the specs of this group. */
export function BeforeAll(body: Body, options: Options = {}): void {
  before(async function () {
    this.timeout(options.timeout ?? DEFAULT_TIMEOUT_MS);
    runningSuite = this.test?.parent;
    try {
      await withStep(body);
    } finally {
      runningSuite = undefined;
    }
  });
}

/** Before each spec of this group. */
export function BeforeEach(body: Body): void {
  beforeEach(async () => {
    await withStep(body);
  });
}

/** Leaves the running spec out, with the reason. */
export function Skip(reason: string): never {
  throw new SkipError(reason);
}

class SkipError extends Error {}

/** Undoes what was just done, when its spec or group ends: last in, first out, also after a failure. */
export function DeferCleanup(cleanup: Cleanup): void {
  const list = specCleanups ?? (runningSuite && suiteCleanups.get(runningSuite));
  if (list === undefined) throw new Error("DeferCleanup belongs in a spec or in BeforeAll");
  list.push(cleanup);
}

/** Names what happens now: in the output, and in the message if it fails. */
export async function By<T>(step: string, body: () => T | Promise<T>): Promise<T> {
  const before = currentStep;
  currentStep = step;
  const started = performance.now();
  const result = await body();
  const seconds = (performance.now() - started) / 1000;
  if (seconds >= 0.5) process.stdout.write(`      · ${step} (${seconds.toFixed(1)} s)\n`);
  currentStep = before;
  return result;
}

export interface Patience {
  /** Milliseconds in all. */
  readonly timeout?: number;
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

/** Looks until `accept` is content; the error has the last value seen. A look that throws is looked at again. */
export async function Eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  accept: (value: T) => boolean,
  patience: Patience = {},
): Promise<T> {
  const { timeout = 30_000, interval = 200 } = patience;
  const deadline = Date.now() + timeout;
  for (;;) {
    let last: string;
    try {
      const value = await look();
      if (accept(value)) return value;
      last = `last seen: ${show(value)}`;
    } catch (error) {
      last = `last error: ${messageOf(error)}`;
    }
    if (Date.now() >= deadline) throw new Error(`${what} did not come true in ${timeout} ms; ${last}`);
    await sleep(interval);
  }
}

/** Looks again and again; the first value that `accept` refuses is the failure. */
export async function Consistently<T>(
  what: string,
  look: () => T | Promise<T>,
  accept: (value: T) => boolean,
  patience: Patience = {},
): Promise<void> {
  const { timeout = 2000, interval = 200 } = patience;
  const deadline = Date.now() + timeout;
  do {
    const value = await look();
    if (!accept(value)) throw new Error(`${what} did not stay true; seen: ${show(value)}`);
    await sleep(interval);
  } while (Date.now() < deadline);
}

/**
 * Fails the group if what `snapshot` lists is more at its end than at its beginning: namespaces, links, rules, processes,
 * cluster objects. Call it first in a group, so that it looks after every cleanup.
 */
export function Sanitize(what: string, snapshot: () => Promise<readonly string[]>, patience: Patience = {}): void {
  let earlier: ReadonlySet<string> = new Set();
  BeforeAll(async () => {
    earlier = new Set(await snapshot());
    DeferCleanup(async () => {
      const leaked = async () => (await snapshot()).filter((one) => !earlier.has(one));
      await Eventually(`no leaked ${what}`, leaked, (list) => list.length === 0, { timeout: 30_000, ...patience });
    });
  });
}

/** `matrix && !slow`, `a || (b && c)`. An empty expression takes everything; an unknown word matches no label. */
export function matchesLabels(expression: string, labels: readonly string[]): boolean {
  const tokens = expression.match(/&&|\|\||!|\(|\)|[\w.-]+/g) ?? [];
  if (tokens.join("") !== expression.replaceAll(/\s+/g, ""))
    throw new Error(`"${expression}" is no label expression (words, &&, ||, !, parentheses)`);
  if (tokens.length === 0) return true;
  let at = 0;
  const anyOf = (): boolean => {
    let value = allOf();
    while (tokens[at] === "||") {
      at++;
      value = allOf() || value;
    }
    return value;
  };
  const allOf = (): boolean => {
    let value = one();
    while (tokens[at] === "&&") {
      at++;
      value = one() && value;
    }
    return value;
  };
  const one = (): boolean => {
    const token = tokens[at++];
    if (token === "!") return !one();
    if (token === "(") {
      const value = anyOf();
      if (tokens[at++] !== ")") throw new Error(`"${expression}" lacks a parenthesis`);
      return value;
    }
    if (token === undefined || !/^[\w.-]+$/.test(token))
      throw new Error(`"${expression}" ends or breaks off at "${token ?? ""}"`);
    return labels.includes(token);
  };
  const value = anyOf();
  if (at !== tokens.length) throw new Error(`"${expression}" goes on after its end at "${tokens[at] ?? ""}"`);
  return value;
}

/** Cleans up in reverse; every cleanup runs, the first error is thrown at the end. */
async function runCleanups(cleanups: Cleanup[]): Promise<void> {
  const errors: unknown[] = [];
  for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) {
    try {
      await cleanup();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new Error(`cleaning up failed: ${errors.map(messageOf).join("; ")}`);
}

async function withStep(body: Body): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (currentStep !== undefined && error instanceof Error) error.message = `${currentStep}: ${error.message}`;
    throw error;
  } finally {
    currentStep = undefined;
  }
}

/** After the spec files have been read, that is, registered. */
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(() => {
    const runner = mocha.run((failures) => {
      const stats = runner.stats;
      const summary = { passed: stats?.passes ?? 0, failed: failures, skipped: stats?.pending ?? 0, checks };
      process.exitCode = failures === 0 ? 0 : 1;
      settle(summary);
    });
  });
}

function overload<T>(optionsOrBody: Options | T, maybeBody: T | undefined): [Options, T] {
  return maybeBody === undefined ? [{}, optionsOrBody as T] : [optionsOrBody as Options, maybeBody];
}

function show(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
