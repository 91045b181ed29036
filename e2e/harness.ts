/**
 * A test harness in one file: the functions of Ginkgo (Describe, It, By, Eventually, DeferCleanup …), features of Deno.test
 * (steps as results, sanitizers, filter, shard, shuffle) and the reporters of mocha. It depends only on mocha.
 *
 * A spec file runs alone (`npx tsx e2e/specs/matrix.e2e.ts --filter nodes`) or together with others: import them all, then call
 * `runSpecs`. Every spec is registered before the first one runs.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import Mocha from "mocha";

const DEFAULT_TIMEOUT_MS = 120_000;
/** Time for an aborted body to end, before the cleanups run. */
const DEFAULT_GRACE_MS = 10_000;
/** Interval at which a running spec or hook prints its progress. */
const POLL_PROGRESS_MS = 60_000;

export type Status = "passed" | "failed" | "skipped";
/** A part of a spec, named by `By` or `context.step`. */
export interface StepResult {
  readonly name: string;
  readonly status: Status;
  readonly seconds: number;
  readonly error?: string;
  readonly steps?: readonly StepResult[];
}
/** A spec or a hook. `attempts` is set if it ran more than once. */
export interface SpecResult extends StepResult {
  readonly attempts?: number;
}
export interface RunSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Every registered spec, and every hook that failed. */
  readonly checks: readonly SpecResult[];
  /** Every hook that ran, passed or failed. */
  readonly hooks: readonly SpecResult[];
  /** Why the run was ended early. */
  readonly interrupted?: string;
}

/** Argument of a body. */
export interface SpecContext {
  /** Aborted at the timeout, at an interrupt and by an uncaught error. Eventually, Consistently and `withAbort` follow it. */
  readonly signal: AbortSignal;
  /** Runs a part of the spec with a result of its own, like `By`. */
  readonly step: <T>(name: string, body: () => T | Promise<T>) => Promise<T>;
}
export type Body = (context: SpecContext) => unknown;
export type Cleanup = () => unknown;
export interface NodeOptions {
  /** Milliseconds for the body; 0: without limit. */
  readonly timeout?: number;
}
/** Options of a group or a spec. Specs inherit them from their groups: `labels` add up, a spec's own value replaces the others. */
export interface Options extends NodeOptions {
  readonly labels?: readonly string[];
  /** Maximum attempts of a spec; the result has their number if it is more than one. */
  readonly flakeAttempts?: number;
  /** Runs after all other specs, in registration order, and in the first shard. */
  readonly serial?: boolean;
  /** For a group: its specs keep their order and stay in one shard, and none runs after one that failed. */
  readonly ordered?: boolean;
  /** Fails a spec that leaves child processes, sockets, servers or file watchers of this process open. */
  readonly sanitizeProcess?: boolean;
}
/** Settings of a run; see `parseSettings` for the command line. */
export interface Settings {
  /** Label expression, see `matchesLabels`. */
  readonly label?: string;
  /** Regular expression over the full name. */
  readonly filter?: string;
  /** `2/3`: the second of three parts. */
  readonly shard?: string;
  /** Seed of a random order of groups and specs. */
  readonly shuffle?: number;
  readonly failFast?: boolean;
  /** Further attempts for a spec that failed. */
  readonly retry?: number;
  /** Number of times that every spec must pass. */
  readonly repeat?: number;
  /** Name of a mocha reporter, or `none`. */
  readonly reporter?: string;
  readonly graceMs?: number;
}

/** The spec or hook that runs now. */
interface RunningNode {
  readonly title: string;
  readonly started: number;
  readonly controller: AbortController;
  readonly cleanups: Cleanup[];
  /** Steps that have begun and not ended, outermost first. */
  readonly active: Set<MutableStep>;
  /** An interrupt does not end it. */
  readonly isCleanup: boolean;
  ended: boolean;
}
interface MutableStep {
  readonly name: string;
  readonly started: number;
  readonly steps: MutableStep[];
  status?: Status;
  seconds?: number;
  error?: string;
}
/** Context of running code: its node, and the list to which its next step is added. */
interface Place {
  readonly node: RunningNode;
  readonly steps: MutableStep[];
}
interface Spec {
  readonly kind: "spec";
  readonly title: string;
  readonly name: string;
  readonly parent: Group;
  readonly options: Options;
  readonly labels: readonly string[];
  readonly body: Body;
  readonly focused: boolean;
  readonly pending: boolean;
}
type HookKind = "BeforeAll" | "BeforeEach" | "AfterEach" | "AfterAll" | "BeforeSuite" | "AfterSuite";
interface Hook {
  readonly kind: HookKind;
  readonly body: Body;
  readonly options: NodeOptions;
}
interface Group {
  readonly kind: "group";
  readonly title: string;
  readonly name: string;
  readonly parent: Group | undefined;
  readonly options: Options;
  readonly focused: boolean;
  readonly children: (Group | Spec)[];
  readonly hooks: Hook[];
  readonly cleanups: Cleanup[];
}

class SkipError extends Error {}
const places = new AsyncLocalStorage<Place>();
const annotated = new WeakSet<Error>();

/** Skips the running spec, or in BeforeAll its whole group, with a reason. Works anywhere within a body. */
export function Skip(reason: string): never {
  throw new SkipError(reason);
}

/** Returns the signal of the running spec or hook; outside of one it is never aborted. */
export function currentSignal(): AbortSignal {
  return places.getStore()?.node.controller.signal ?? new AbortController().signal;
}

/** Settles like `work`, or rejects as soon as the running spec is aborted. For calls that take no signal. */
export async function withAbort<T>(work: Promise<T>, signal: AbortSignal = currentSignal()): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(asError(signal.reason));
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Registers a cleanup that runs when the spec ends, or the group if it is called in BeforeAll: last in, first out, also after a
 * failure, each within a time limit. After the end of its spec (a body that outlived its timeout) the cleanup runs at once.
 */
export function DeferCleanup(cleanup: Cleanup): void {
  const node = places.getStore()?.node;
  if (node === undefined) throw new Error("DeferCleanup has to be called in a spec or a hook");
  node.cleanups.push(cleanup);
  if (node.ended)
    void runCleanups(node.cleanups).then((errors) => {
      for (const error of errors)
        process.stderr.write(`cleanup after the end of "${node.title}": ${formatError(error)}\n`);
    });
}

/** Runs a named part of a spec: its name is in the results, in the progress while it runs, and in the error if it fails. */
export async function By<T>(name: string, body: () => T | Promise<T>): Promise<T> {
  const place = places.getStore();
  const step: MutableStep = { name, started: performance.now(), steps: [] };
  place?.steps.push(step);
  place?.node.active.add(step);
  const run = async (): Promise<T> => body();
  try {
    const value = await (place === undefined ? run() : places.run({ node: place.node, steps: step.steps }, run));
    step.status = "passed";
    return value;
  } catch (error) {
    step.status = error instanceof SkipError ? "skipped" : "failed";
    step.error = formatError(error);
    if (error instanceof Error && !(error instanceof SkipError) && !annotated.has(error)) {
      annotated.add(error);
      error.message = `${name}: ${error.message}`;
    }
    throw error;
  } finally {
    step.seconds = (performance.now() - step.started) / 1000;
    place?.node.active.delete(step);
    if (step.seconds >= 0.5)
      process.stdout.write(`      ${step.status === "failed" ? "✗" : "·"} ${name} (${step.seconds.toFixed(1)} s)\n`);
  }
}

export interface PollOptions {
  /** Total milliseconds. */
  readonly timeout?: number;
  /** Milliseconds between two calls. */
  readonly interval?: number;
}

/**
 * Calls `look` until `accept` returns true for its value, and returns that value. A call that throws is repeated; a call that hangs
 * is aborted at the deadline, but not before 10 seconds.
 * @throws an error with the last value or error seen, at the deadline; the reason of the running spec's abort, at once
 */
export async function Eventually<T>(
  what: string,
  look: (signal: AbortSignal) => T | Promise<T>,
  accept: (value: T) => boolean,
  { timeout = 30_000, interval = 200 }: PollOptions = {},
): Promise<T> {
  const signal = currentSignal();
  const deadline = Date.now() + timeout;
  for (;;) {
    let last: string;
    const limit = new AbortController();
    const timer = setTimeout(
      () => {
        limit.abort(new Error("the look did not end"));
      },
      Math.max(deadline - Date.now(), 10_000),
    );
    try {
      const callSignal = AbortSignal.any([signal, limit.signal]);
      const value = await withAbort((async () => look(callSignal))(), callSignal);
      if (accept(value)) return value;
      last = `last seen: ${formatValue(value)}`;
    } catch (error) {
      if (error instanceof SkipError) throw error;
      if (signal.aborted) throw asError(signal.reason);
      last = `last error: ${formatError(error)}`;
    } finally {
      clearTimeout(timer);
    }
    if (Date.now() >= deadline) throw new Error(`${what} did not come true in ${timeout} ms; ${last}`);
    await withAbort(sleep(interval), signal);
  }
}

/** Calls `look` until the timeout; fails for the first value that `accept` rejects. */
export async function Consistently<T>(
  what: string,
  look: (signal: AbortSignal) => T | Promise<T>,
  accept: (value: T) => boolean,
  { timeout = 2000, interval = 200 }: PollOptions = {},
): Promise<void> {
  const signal = currentSignal();
  const deadline = Date.now() + timeout;
  do {
    const value = await withAbort((async () => look(signal))(), signal);
    if (!accept(value)) throw new Error(`${what} did not stay true; seen: ${formatValue(value)}`);
    await withAbort(sleep(interval), signal);
  } while (Date.now() < deadline);
}

/**
 * Evaluates a label expression: `matrix && !slow`, `a || (b && c)`. An empty expression takes everything.
 * @throws an error for an invalid expression
 */
export function matchesLabels(expression: string, labels: readonly string[]): boolean {
  const tokens = expression.match(/&&|\|\||!|\(|\)|[\w.-]+/g) ?? [];
  if (tokens.join("") !== expression.replaceAll(/\s+/g, ""))
    throw new Error(`"${expression}" is not a label expression (words, &&, ||, !, parentheses)`);
  if (tokens.length === 0) return true;
  let position = 0;
  const parseOr = (): boolean => {
    let value = parseAnd();
    while (tokens[position] === "||") {
      position++;
      value = parseAnd() || value;
    }
    return value;
  };
  const parseAnd = (): boolean => {
    let value = parseTerm();
    while (tokens[position] === "&&") {
      position++;
      value = parseTerm() && value;
    }
    return value;
  };
  const parseTerm = (): boolean => {
    const token = tokens[position++];
    if (token === "!") return !parseTerm();
    if (token === "(") {
      const value = parseOr();
      if (tokens[position++] !== ")") throw new Error(`"${expression}" lacks a parenthesis`);
      return value;
    }
    if (token === undefined || !/^[\w.-]+$/.test(token))
      throw new Error(`"${expression}" lacks a label before "${token ?? "its end"}"`);
    return labels.includes(token);
  };
  const value = parseOr();
  if (position !== tokens.length) throw new Error(`"${expression}" has "${tokens[position] ?? ""}" after its end`);
  return value;
}

/** Returns the open child processes, sockets, servers and watchers of this process, numbered so that another one is noticed. */
export function listProcessResources(): readonly string[] {
  const kinds = new Set(["ProcessWrap", "TCPSocketWrap", "TCPServerWrap", "PipeServerWrap", "UDPWrap", "FSEventWrap"]);
  const counts = new Map<string, number>();
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.has(kind))
    .map((kind) => {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      return `${kind} ${counts.get(kind) ?? 0}`;
    });
}

/**
 * Parses the flags of every spec file: --label --filter --shard --shuffle --fail-fast --retry --repeat --reporter
 * --list.
 */
export function parseSettings(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Settings & { list: boolean } {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      label: text,
      filter: text,
      shard: text,
      shuffle: text,
      retry: text,
      repeat: text,
      reporter: text,
      "fail-fast": flag,
      list: flag,
    },
  });
  const parseWholeNumber = (name: "shuffle" | "retry" | "repeat"): Readonly<Record<string, number>> => {
    const value = values[name];
    if (value === undefined) return {};
    if (!/^\d+$/.test(value)) throw new Error(`invalid --${name} "${value}": a whole number is needed`);
    return { [name]: Number(value) };
  };
  const label = values.label ?? env["INTERLAY_LABEL"];
  return {
    ...(label === undefined ? {} : { label }),
    ...(values.filter === undefined ? {} : { filter: values.filter }),
    ...(values.shard === undefined ? {} : { shard: values.shard }),
    ...(values.reporter === undefined ? {} : { reporter: values.reporter }),
    ...parseWholeNumber("shuffle"),
    ...parseWholeNumber("retry"),
    ...parseWholeNumber("repeat"),
    failFast: values["fail-fast"],
    list: values.list,
  };
}

/** A set of specs with functions to register and run them. The functions of this module belong to one such set. */
export class Harness {
  readonly #root: Group = makeGroup("", undefined, {}, false);
  #open: Group = this.#root;
  #started = false;
  #current: RunningNode | undefined;
  #interrupted: string | undefined;
  #progress = { done: 0, total: 0 };
  readonly #onFirst: () => void;

  /** @param onFirst called when the first spec or group is registered */
  constructor(onFirst: () => void = () => undefined) {
    this.#onFirst = onFirst;
  }

  /** Registers a group of specs. Its body only registers. */
  readonly Describe = (title: string, ...rest: [() => void] | [Options, () => void]): void => {
    const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    this.#addGroup(title, options, body, false);
  };
  /** Registers the only group to run. Throws in CI, where a forgotten focus would skip everything else. */
  readonly FDescribe = (title: string, body: () => void): void => {
    this.#addGroup(refuseFocusInCi(title), {}, body, true);
  };
  /** Registers a spec. A spec that is not selected counts as skipped. */
  readonly It = (title: string, ...rest: [Body] | [Options, Body]): void => {
    const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    this.#addSpec(title, options, body, {});
  };
  /** Registers the only spec to run. Throws in CI. */
  readonly FIt = (title: string, body: Body): void => {
    this.#addSpec(refuseFocusInCi(title), {}, body, { focused: true });
  };
  /** Registers a pending spec, which is skipped. */
  readonly PIt = (title: string, body: Body = () => undefined): void => {
    this.#addSpec(title, {}, body, { pending: true });
  };
  /** Registers a group with a spec for every entry of a table, all with the same body. */
  readonly DescribeTable = <A extends readonly unknown[]>(
    title: string,
    body: (...args: [...A, SpecContext]) => unknown,
    entries: readonly TableEntry<A>[],
    options: Options = {},
  ): void => {
    this.#addGroup(
      title,
      options,
      () => {
        for (const { name, args } of entries) this.#addSpec(name, {}, (context) => body(...args, context), {});
      },
      false,
    );
  };
  /** Runs once before the specs of this group, if any of them runs. */
  readonly BeforeAll = (body: Body, options: NodeOptions = {}): void => {
    this.#open.hooks.push({ kind: "BeforeAll", body, options });
  };
  /** Runs once after the specs of this group, also if one failed. */
  readonly AfterAll = (body: Body, options: NodeOptions = {}): void => {
    this.#open.hooks.push({ kind: "AfterAll", body, options });
  };
  /** Runs before each attempt of each spec in this group and the groups in it, outer groups first. */
  readonly BeforeEach = (body: Body, options: NodeOptions = {}): void => {
    this.#open.hooks.push({ kind: "BeforeEach", body, options });
  };
  /** Runs after each attempt of each spec, inner groups first, also if the spec failed. */
  readonly AfterEach = (body: Body, options: NodeOptions = {}): void => {
    this.#open.hooks.push({ kind: "AfterEach", body, options });
  };
  /** Runs once before all specs. Must be called outside of groups. */
  readonly BeforeSuite = (body: Body, options: NodeOptions = {}): void => {
    this.#addSuiteHook({ kind: "BeforeSuite", body, options });
  };
  /** Runs once after all specs. Must be called outside of groups. */
  readonly AfterSuite = (body: Body, options: NodeOptions = {}): void => {
    this.#addSuiteHook({ kind: "AfterSuite", body, options });
  };
  /**
   * Fails the group if `list` returns more at its end than at its beginning: namespaces, links, rules, processes, cluster objects.
   * Must be called first in a group, so that it runs after every cleanup.
   */
  readonly Sanitize = (what: string, list: () => Promise<readonly string[]>, options: PollOptions = {}): void => {
    this.BeforeAll(async () => {
      const earlier = new Set(await list());
      DeferCleanup(async () => {
        const leaked = async () => (await list()).filter((entry) => !earlier.has(entry));
        await Eventually(`no leaked ${what}`, leaked, (leaks) => leaks.length === 0, options);
      });
    });
  };

  /** Ends the run: the running spec is aborted and fails, the others are skipped, every cleanup runs. */
  readonly interrupt = (reason: string): void => {
    this.#interrupted ??= reason;
    if (this.#current?.isCleanup === false) this.#current.controller.abort(new Error(`interrupted: ${reason}`));
  };

  /** Returns every spec with its labels, and why it would be skipped. Nothing runs. */
  readonly selectSpecs = (settings: Settings = {}): readonly SelectedSpec[] => selectRegistered(this.#root, settings);

  /** Returns the running spec, its duration and its steps. */
  readonly describeProgress = (): string => {
    const node = this.#current;
    const head = `${this.#progress.done} of ${this.#progress.total} specs done`;
    if (node === undefined) return `${head}; nothing runs`;
    const now = performance.now();
    const since = (started: number) => `for ${((now - started) / 1000).toFixed(1)} s`;
    const steps = [...node.active].map(({ name, started }) => `\n    step: ${name}, ${since(started)}`);
    return `${head}; running: ${node.title}, ${since(node.started)}${steps.join("")}`;
  };

  /**
   * Runs the registered specs. Every registered spec gets a result. A run without a selected spec has a failed result. SIGUSR2 prints
   * the progress.
   */
  readonly runSpecs = async (settings: Settings = {}): Promise<RunSummary> => {
    if (this.#started) throw new Error("the specs have run already: a harness runs once");
    this.#started = true;
    const selectedSpecs = selectRegistered(this.#root, settings);
    const run = new Run(selectedSpecs, settings, {
      interrupted: () => this.#interrupted,
      current: (node) => (this.#current = node),
      progress: (done, total) => (this.#progress = { done, total }),
      describe: this.describeProgress,
    });
    const printProgress = () => process.stderr.write(`${this.describeProgress()}\n`);
    const handleError = (error: unknown) => {
      run.failUncaught(this.#current, asError(error));
    };
    process.on("SIGUSR2", printProgress).on("uncaughtException", handleError).on("unhandledRejection", handleError);
    try {
      return await run.runAll(this.#root);
    } finally {
      process
        .off("SIGUSR2", printProgress)
        .off("uncaughtException", handleError)
        .off("unhandledRejection", handleError);
    }
  };

  #addGroup(title: string, options: Options, body: () => void, focused: boolean): void {
    const parent = this.#register();
    const group = makeGroup(title, parent, options, focused);
    parent.children.push(group);
    this.#open = group;
    try {
      body();
    } finally {
      this.#open = parent;
    }
  }

  #addSpec(title: string, options: Options, body: Body, mode: { focused?: boolean; pending?: boolean }): void {
    const parent = this.#register();
    const groups = listAncestors(parent);
    const inherited = Object.assign({}, ...groups.map((group) => group.options), options) as Options;
    parent.children.push({
      kind: "spec",
      title,
      name: joinNames(parent.name, title),
      parent,
      body,
      options: inherited,
      labels: [...groups.flatMap((group) => group.options.labels ?? []), ...(options.labels ?? [])],
      focused: mode.focused === true,
      pending: mode.pending === true,
    });
  }

  #addSuiteHook(hook: Hook): void {
    if (this.#open !== this.#root) throw new Error(`${hook.kind} has to be called outside of every group`);
    this.#root.hooks.push(hook);
  }

  #register(): Group {
    if (this.#started) throw new Error("a spec or group was registered after the run had begun");
    if (this.#root.children.length === 0) this.#onFirst();
    return this.#open;
  }
}

export interface TableEntry<A extends readonly unknown[]> {
  readonly name: string;
  readonly args: A;
}
/** Returns an entry of a DescribeTable. */
export function Entry<A extends readonly unknown[]>(name: string, ...args: A): TableEntry<A> {
  return { name, args };
}

export interface SelectedSpec {
  readonly name: string;
  readonly labels: readonly string[];
  /** Why the spec does not run; undefined if it runs. */
  readonly leftOut: string | undefined;
}

function selectRegistered(root: Group, settings: Settings): readonly (SelectedSpec & { readonly spec: Spec })[] {
  const specs = orderSpecs(root, settings.shuffle);
  const focus = specs.some(isFocused);
  const filter = settings.filter === undefined ? undefined : new RegExp(settings.filter);
  const shards = shardSpecs(specs, settings.shard);
  return specs.map((spec) => {
    const reason = (): string | undefined => {
      if (spec.pending) return "pending";
      if (focus && !isFocused(spec)) return "another spec is focused";
      if (!matchesLabels(settings.label ?? "", spec.labels)) return `left out by --label "${settings.label ?? ""}"`;
      if (filter?.test(spec.name) === false) return `left out by --filter "${settings.filter ?? ""}"`;
      return shards.has(spec) ? undefined : `in another shard than ${settings.shard ?? ""}`;
    };
    return { spec, name: spec.name, labels: spec.labels, leftOut: reason() };
  });
}

/** Returns the specs in registration order, or shuffled group by group; serial specs last, ordered groups unchanged. */
function orderSpecs(root: Group, seed: number | undefined): readonly Spec[] {
  const random = seed === undefined ? undefined : makeRandom(seed);
  const visit = (group: Group): readonly Spec[] => {
    const isSerial = (child: Group | Spec) => Number(child.options.serial === true);
    const children = [...group.children];
    if (random !== undefined && group.options.ordered !== true)
      for (let last = children.length - 1; last > 0; last--) {
        const swapIndex = Math.floor(random() * (last + 1));
        const [a, b] = [children[last], children[swapIndex]];
        if (a !== undefined && b !== undefined) [children[last], children[swapIndex]] = [b, a];
      }
    children.sort((a, b) => isSerial(a) - isSerial(b));
    group.children.splice(0, group.children.length, ...children);
    return children.flatMap((child) => (child.kind === "spec" ? [child] : visit(child)));
  };
  return visit(root);
}

/** Returns the specs of shard `2/3`. An ordered group stays together; serial specs are in the first shard. */
function shardSpecs(specs: readonly Spec[], shard: string | undefined): ReadonlySet<Spec> {
  if (shard === undefined) return new Set(specs);
  const [, index = 0, count = 0] = (/^(\d+)\/(\d+)$/.exec(shard) ?? []).map(Number);
  if (index < 1 || index > count) throw new Error(`invalid --shard "${shard}": write it like 2/3`);
  const units = new Map<Group | Spec, number>();
  return new Set(
    specs.filter((spec) => {
      const unit = listAncestors(spec.parent).find(({ options }) => options.ordered === true) ?? spec;
      if (spec.options.serial === true) return index === 1;
      if (!units.has(unit)) units.set(unit, units.size);
      return (units.get(unit) ?? 0) % count === index - 1;
    }),
  );
}

interface RunHost {
  readonly interrupted: () => string | undefined;
  readonly current: (node: RunningNode | undefined) => void;
  readonly progress: (done: number, total: number) => void;
  readonly describe: () => string;
}

/** One run: owns the results. */
class Run {
  readonly #leftOut: ReadonlyMap<Spec, string | undefined>;
  readonly #settings: Settings;
  readonly #host: RunHost;
  readonly #output: Output;
  readonly #checks: SpecResult[] = [];
  readonly #hooks: SpecResult[] = [];
  #done = 0;
  #failed = false;

  constructor(
    chosen: readonly { readonly spec: Spec; readonly leftOut: string | undefined }[],
    settings: Settings,
    host: RunHost,
  ) {
    this.#leftOut = new Map(chosen.map(({ spec, leftOut }) => [spec, leftOut]));
    this.#settings = settings;
    this.#host = host;
    this.#output = new Output(settings.reporter ?? "spec");
  }

  async runAll(root: Group): Promise<RunSummary> {
    this.#output.reportStart();
    this.#host.progress(0, this.#countSelected());
    await this.#runGroup(root, undefined);
    if (![...this.#leftOut.values()].includes(undefined)) {
      const error = `nothing was selected: ${this.#leftOut.size} specs are registered, and none of them fits ${describeSelection(this.#settings)}`;
      this.#record({ name: "at least one spec is selected", status: "failed", seconds: 0, error }, this.#checks);
    }
    this.#output.reportEnd();
    this.#host.current(undefined);
    const count = (status: Status) => this.#checks.filter((check) => check.status === status).length;
    const interrupted = this.#host.interrupted();
    return {
      passed: count("passed"),
      failed: count("failed"),
      skipped: count("skipped"),
      checks: this.#checks,
      hooks: this.#hooks,
      ...(interrupted === undefined ? {} : { interrupted }),
    };
  }

  /** Handles an uncaught error: it fails the running spec or hook, or the run if there is none. */
  failUncaught(node: RunningNode | undefined, error: Error): void {
    error.message = `uncaught: ${error.message}`;
    if (node?.ended === false) node.controller.abort(error);
    else
      this.#record(
        { name: "no uncaught error", status: "failed", seconds: 0, error: error.message },
        this.#checks,
        error,
      );
  }

  /** @param skipped why the whole group is skipped; undefined: it runs */
  async #runGroup(group: Group, skipped: string | undefined): Promise<void> {
    const specs = listSpecs(group).filter((spec) => this.#leftOut.get(spec) === undefined);
    let reason = skipped;
    this.#output.openGroup(group);
    const runs = specs.length > 0 && reason === undefined && this.#findStopReason() === undefined;
    if (runs)
      for (const hook of listHooks(group, "BeforeSuite", "BeforeAll")) {
        const error = await this.#runHook(hook, group);
        if (error === undefined) continue;
        reason =
          error instanceof SkipError ? error.message : `${hook.kind} of "${group.title}" failed: ${formatError(error)}`;
        break;
      }
    let failedBefore: string | undefined;
    for (const child of group.children) {
      const skipReason = reason ?? (group.options.ordered === true ? failedBefore : undefined);
      if (child.kind === "group") await this.#runGroup(child, skipReason);
      else if ((await this.#runSpec(child, skipReason)) === "failed")
        failedBefore = `an earlier spec of the ordered group failed: ${child.title}`;
    }
    if (runs) for (const hook of listHooks(group, "AfterAll", "AfterSuite")) await this.#runHook(hook, group);
    if (runs && group.cleanups.length > 0) {
      const started = performance.now();
      const errors = await runCleanups(group.cleanups, this.#host.current);
      this.#recordHook("DeferCleanup", group, started, [], combineErrors(undefined, errors));
    }
    this.#output.closeGroup();
  }

  async #runSpec(spec: Spec, skipped: string | undefined): Promise<Status> {
    const reason = this.#leftOut.get(spec) ?? this.#findStopReason() ?? skipped;
    const started = performance.now();
    const steps: MutableStep[] = [];
    let error: Error | undefined = reason === undefined ? undefined : new SkipError(reason);
    let attempts = 0;
    if (reason === undefined) {
      const maxAttempts = Math.max(spec.options.flakeAttempts ?? 1, 1 + (this.#settings.retry ?? 0));
      for (let round = 0; round < (this.#settings.repeat ?? 1) && error === undefined; round++)
        for (let attempt = 1; attempt <= maxAttempts; attempt++) {
          attempts++;
          error = await this.#runAttempt(spec, steps);
          if (error === undefined || error instanceof SkipError || this.#host.interrupted() !== undefined) break;
          if (attempt < maxAttempts)
            this.#output.printLine(`      attempt ${attempt} of ${maxAttempts} failed: ${error.message}`);
        }
    }
    const status = error === undefined ? "passed" : error instanceof SkipError ? "skipped" : "failed";
    if (status === "failed") this.#failed = true;
    if (this.#leftOut.get(spec) === undefined) this.#host.progress(++this.#done, this.#countSelected());
    const result: SpecResult = {
      name: spec.name,
      status,
      seconds: (performance.now() - started) / 1000,
      ...(error === undefined ? {} : { error: error.message }),
      ...(attempts > 1 ? { attempts } : {}),
      ...(steps.length === 0 ? {} : { steps: steps.map(finishStep) }),
    };
    this.#record(result, this.#checks, error, spec.title);
    return status;
  }

  /** Runs BeforeEach, the body, AfterEach and the cleanups, also after failures. @returns one error with all errors */
  async #runAttempt(spec: Spec, steps: MutableStep[]): Promise<Error | undefined> {
    const cleanups: Cleanup[] = [];
    const before = new Set(listProcessResources());
    const groups = listAncestors(spec.parent);
    let firstError: Error | undefined;
    const errors: Error[] = [];
    const run = async (title: string, body: Body, timeout: number | undefined) =>
      this.#runNode({ title, body, timeout, cleanups, steps });
    for (const hook of groups.flatMap((group) => listHooks(group, "BeforeEach"))) {
      firstError = await run(`${spec.name} (BeforeEach)`, hook.body, hook.options.timeout);
      if (firstError !== undefined) break;
    }
    firstError ??= await run(spec.name, spec.body, spec.options.timeout);
    for (const hook of groups.toReversed().flatMap((group) => listHooks(group, "AfterEach"))) {
      const error = await run(`${spec.name} (AfterEach)`, hook.body, hook.options.timeout);
      if (error !== undefined) errors.push(new Error(`AfterEach: ${error.message}`, { cause: error }));
    }
    for (const error of await runCleanups(cleanups, this.#host.current))
      errors.push(new Error(`cleanup: ${error.message}`, { cause: error }));
    if (spec.options.sanitizeProcess === true) {
      const listOpened = () => listProcessResources().filter((resource) => !before.has(resource));
      for (let wait = 0; wait < 20 && listOpened().length > 0; wait++) await sleep(50);
      if (listOpened().length > 0) errors.push(new Error(`left open in this process: ${listOpened().join(", ")}`));
    }
    return combineErrors(firstError, errors);
  }

  async #runHook(hook: Hook, group: Group): Promise<Error | undefined> {
    const steps: MutableStep[] = [];
    const started = performance.now();
    const title = joinNames(group.name, `(${hook.kind})`);
    const error = await this.#runNode({
      title,
      body: hook.body,
      timeout: hook.options.timeout,
      cleanups: group.cleanups,
      steps,
    });
    this.#recordHook(hook.kind, group, started, steps, error);
    return error;
  }

  /** Runs one body within its timeout. @returns its error, or the reason of the abort */
  async #runNode(task: {
    readonly title: string;
    readonly body: Body;
    readonly timeout: number | undefined;
    readonly cleanups: Cleanup[];
    readonly steps: MutableStep[];
  }): Promise<Error | undefined> {
    const controller = new AbortController();
    const node: RunningNode = {
      title: task.title,
      started: performance.now(),
      controller,
      cleanups: task.cleanups,
      active: new Set(),
      isCleanup: false,
      ended: false,
    };
    this.#host.current(node);
    const poll = setInterval(() => {
      this.#output.printLine(`      ${this.#host.describe()}`);
    }, POLL_PROGRESS_MS).unref();
    const error = await runWithin(node, task.body, task.timeout ?? DEFAULT_TIMEOUT_MS, {
      steps: task.steps,
      graceMs: this.#settings.graceMs ?? DEFAULT_GRACE_MS,
    });
    clearInterval(poll);
    return error;
  }

  #recordHook(
    kind: HookKind | "DeferCleanup",
    group: Group,
    started: number,
    steps: readonly MutableStep[],
    error: Error | undefined,
  ): void {
    const failed = error !== undefined && !(error instanceof SkipError);
    const result: SpecResult = {
      name: joinNames(group.name, `(${kind})`),
      status: failed ? "failed" : error ? "skipped" : "passed",
      seconds: (performance.now() - started) / 1000,
      ...(error === undefined ? {} : { error: error.message }),
      ...(steps.length === 0 ? {} : { steps: steps.map(finishStep) }),
    };
    this.#hooks.push(result);
    if (failed) this.#record(result, this.#checks, error, `(${kind})`);
  }

  #record(result: SpecResult, into: SpecResult[], error?: Error, title: string = result.name): void {
    into.push(result);
    this.#output.reportResult(title, result, error);
  }

  #findStopReason(): string | undefined {
    const interrupted = this.#host.interrupted();
    if (interrupted !== undefined) return `interrupted: ${interrupted}`;
    return this.#failed && this.#settings.failFast === true ? "an earlier spec failed (--fail-fast)" : undefined;
  }

  #countSelected(): number {
    return [...this.#leftOut.values()].filter((reason) => reason === undefined).length;
  }
}

/** Runs a body until it ends, or until the grace period after its abort. */
async function runWithin(
  node: RunningNode,
  body: Body,
  timeoutMs: number,
  { steps, graceMs }: { readonly steps: MutableStep[]; readonly graceMs: number },
): Promise<Error | undefined> {
  const { signal } = node.controller;
  const onTimeout = () => {
    const during = [...node.active].map(({ name }) => `, during "${name}"`).join("");
    node.controller.abort(new Error(`timed out after ${timeoutMs} ms${during}`));
  };
  const timer = timeoutMs > 0 ? setTimeout(onTimeout, timeoutMs) : undefined;
  const work = places.run({ node, steps }, async () => {
    await body({ signal, step: By });
  });
  const ended = work.then(
    () => undefined,
    (error: unknown) => asError(error),
  );
  const aborted = new Promise<"aborted">((resolve) => {
    signal.addEventListener("abort", () => {
      resolve("aborted");
    });
  });
  const outcome = await Promise.race([ended, aborted]);
  clearTimeout(timer);
  if (outcome !== "aborted") {
    node.ended = true;
    return signal.aborted ? asError(signal.reason) : outcome;
  }
  const graceOver = new AbortController();
  const isLate = await Promise.race([
    ended.then(() => false),
    sleep(graceMs, true, { signal: graceOver.signal }).catch(() => false),
  ]);
  graceOver.abort();
  node.ended = true;
  const reason = asError(signal.reason);
  if (isLate) reason.message += `; its body has not ended ${graceMs} ms later`;
  return reason;
}

/** Runs cleanups in reverse order, each within a time limit, also after one that fails. */
async function runCleanups(
  cleanups: Cleanup[],
  onNode: (node: RunningNode) => void = () => undefined,
): Promise<readonly Error[]> {
  const errors: Error[] = [];
  for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) {
    const node: RunningNode = {
      title: "cleanup",
      started: performance.now(),
      controller: new AbortController(),
      cleanups,
      active: new Set<MutableStep>(),
      isCleanup: true,
      ended: false,
    };
    onNode(node);
    const error = await runWithin(node, cleanup, DEFAULT_TIMEOUT_MS, { steps: [], graceMs: 0 });
    if (error !== undefined && !(error instanceof SkipError)) errors.push(error);
  }
  return errors;
}

/** Returns the first error with the later ones; a skipped spec whose cleanup fails has failed. */
function combineErrors(first: Error | undefined, later: readonly Error[]): Error | undefined {
  if (later.length === 0) return first;
  const errors = [...(first === undefined || first instanceof SkipError ? [] : [first]), ...later];
  const [combined] = errors;
  if (combined === undefined || errors.length === 1) return combined;
  combined.message = errors.map(({ message }) => message).join("\nthen: ");
  return combined;
}

/** Passes results to a reporter of mocha. */
class Output {
  readonly #runner: Mocha.Runner | undefined;
  readonly #suites: Mocha.Suite[] = [];

  constructor(reporter: string) {
    const root = new Mocha.Suite("", new Mocha.Context());
    root.root = true;
    this.#suites.push(root);
    if (reporter === "none") return;
    const Reporter = (Mocha.reporters as unknown as Readonly<Record<string, ReporterClass | undefined>>)[
      reporter.replace(/^./, (letter) => letter.toUpperCase())
    ];
    if (Reporter === undefined) throw new Error(`mocha has no reporter "${reporter}"`);
    this.#runner = new Mocha.Runner(root, {});
    this.#runner.stats = { suites: 0, tests: 0, passes: 0, pending: 0, failures: 0 };
    new Reporter(this.#runner, {});
  }

  reportStart(): void {
    if (this.#runner?.stats) this.#runner.stats.start = new Date();
    this.#runner?.emit("start");
  }

  openGroup(group: Group): void {
    const parent = this.#suites.at(-1);
    if (parent === undefined || group.parent === undefined) return;
    const suite = new Mocha.Suite(group.title, parent.ctx);
    parent.addSuite(suite);
    this.#suites.push(suite);
    this.#runner?.emit("suite", suite);
  }

  closeGroup(): void {
    if (this.#suites.length > 1) this.#runner?.emit("suite end", this.#suites.pop());
  }

  reportResult(title: string, { status, seconds, error: reason = "" }: SpecResult, error?: Error): void {
    const runner = this.#runner;
    const stats = runner?.stats;
    if (runner === undefined || stats === undefined) return;
    const test = new Mocha.Test(status === "skipped" ? `${title} (skipped: ${reason})` : title, () => undefined);
    this.#suites.at(-1)?.addTest(test);
    test.duration = Math.round(seconds * 1000);
    stats.tests++;
    if (status === "passed") stats.passes++;
    else if (status === "failed") stats.failures++;
    else stats.pending++;
    if (status === "passed") runner.emit("pass", test);
    else if (status === "failed") runner.emit("fail", test, error ?? new Error(reason));
    else runner.emit("pending", test);
    runner.emit("test end", test);
  }

  printLine(line: string): void {
    if (this.#runner !== undefined) process.stdout.write(`${line}\n`);
  }

  reportEnd(): void {
    const stats = this.#runner?.stats;
    if (stats?.start) Object.assign(stats, { end: new Date(), duration: Date.now() - stats.start.getTime() });
    this.#runner?.emit("end");
  }
}
type ReporterClass = new (runner: Mocha.Runner, options: Mocha.MochaOptions) => unknown;

function makeGroup(title: string, parent: Group | undefined, options: Options, focused: boolean): Group {
  const name = joinNames(parent?.name ?? "", title);
  return { kind: "group", title, name, parent, options, focused, children: [], hooks: [], cleanups: [] };
}

/** Returns the groups from the root to the group itself. */
function listAncestors(group: Group): readonly Group[] {
  return group.parent === undefined ? [group] : [...listAncestors(group.parent), group];
}

function listSpecs(group: Group): readonly Spec[] {
  return group.children.flatMap((child) => (child.kind === "spec" ? [child] : listSpecs(child)));
}

function listHooks(group: Group, ...kinds: readonly HookKind[]): readonly Hook[] {
  return group.hooks.filter(({ kind }) => kinds.includes(kind));
}

function isFocused(spec: Spec): boolean {
  return spec.focused || listAncestors(spec.parent).some(({ focused }) => focused);
}

function refuseFocusInCi(title: string): string {
  if (process.env["CI"]) throw new Error(`"${title}" is focused: remove the focus before CI runs it`);
  return title;
}

function describeSelection({ label, filter, shard }: Settings): string {
  const flags = Object.entries({ label, filter, shard }).flatMap(([name, value]) =>
    value ? [`--${name} "${value}"`] : [],
  );
  return flags.length === 0 ? "(all are pending)" : flags.join(" and ");
}

function finishStep({ name, status = "failed", seconds, started, error, steps }: MutableStep): StepResult {
  return {
    name,
    status,
    seconds: seconds ?? (performance.now() - started) / 1000,
    ...(error === undefined ? {} : { error }),
    ...(steps.length === 0 ? {} : { steps: steps.map(finishStep) }),
  };
}

/** Returns a generator of numbers in [0, 1), the same for the same seed (mulberry32). */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function joinNames(...names: readonly string[]): string {
  return names.filter((name) => name !== "").join(" ");
}

function formatValue(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function formatError(error: unknown): string {
  return asError(error).message;
}

/** The set of specs to which the functions of this module belong. It runs by itself when a spec file is started alone. */
export const harness = new Harness(() => {
  process.once("beforeExit", () => void runAlone());
});
export const { Describe, FDescribe, It, FIt, PIt, DescribeTable, Sanitize, interrupt, selectSpecs, runSpecs } = harness;
export const { BeforeAll, AfterAll, BeforeEach, AfterEach, BeforeSuite, AfterSuite } = harness;
export const Context = Describe;

const summaryListeners: ((summary: RunSummary) => unknown)[] = [];
/** Calls a function with the results after the specs of a file that was started by itself. */
export function onSummary(listener: (summary: RunSummary) => unknown): void {
  summaryListeners.push(listener);
}

/** Runs a spec file that was started alone: flags from the command line, exit status 1 for failures, 2 for invalid flags. */
async function runAlone(): Promise<void> {
  try {
    const settings = parseSettings(process.argv.slice(2), process.env);
    if (settings.list) {
      for (const { name, labels, leftOut } of selectSpecs(settings))
        process.stdout.write(
          `${name}${labels.length > 0 ? ` [${labels.join(", ")}]` : ""}${leftOut ? `: ${leftOut}` : ""}\n`,
        );
      return;
    }
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, interrupt);
    process.exitCode = 1; // also if the process ends because nothing is left that could wake a body up
    const summary = await runSpecs(settings);
    for (const listener of summaryListeners) await listener(summary);
    const { failed, interrupted } = summary;
    process.exitCode = interrupted !== undefined ? 130 : failed > 0 ? 1 : 0;
  } catch (error) {
    process.stderr.write(`${formatError(error)}\n`);
    process.exitCode = 2;
  }
}
