import { readPluginsFromEnvironment, type TestNode, type TestPod } from "./invocation.ts";
import { TestNet } from "./node.ts";

/** Test network of a mocha suite, whose nodes and pods are declared in the suite and exist while its tests run. */
class SuiteNet extends TestNet {
  readonly #beforeTests: (create: () => void) => void;
  readonly #cleanups: (() => void | Promise<void>)[] = [];

  constructor(lifetime: "suite" | "test") {
    super(readPluginsFromEnvironment());
    const [beforeTests, afterTests] = lifetime === "suite" ? [before, after] : [beforeEach, afterEach];
    this.#beforeTests = (create) => {
      beforeTests(create);
    };
    beforeTests(() => this.open());
    afterTests(async () => {
      for (const cleanUp of this.#cleanups) await cleanUp();
      this.close();
    });
  }

  /** Declares what runs after the tests, before the network is removed. */
  useCleanup(cleanUp: () => void | Promise<void>): void {
    this.#cleanups.push(cleanUp);
  }

  /** Declares a node, with the parameters of `node`. */
  useNode(...node: Parameters<TestNet["node"]>): TestNode {
    this.#beforeTests(() => this.node(...node));
    return this.describeNode(node[0], node[1]);
  }

  /** Declares a pod. */
  usePod(name: string): TestPod {
    this.#beforeTests(() => this.pod(name));
    return this.describePod(name);
  }
}

/**
 * Creates a test network before the tests of the suite that calls it, and removes it after them.
 * @param lifetime whether all tests share it, or each has its own
 */
export function useTestNet(lifetime: "suite" | "test" = "suite"): SuiteNet {
  return new SuiteNet(lifetime);
}
