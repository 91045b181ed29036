/** Platforms for which Interlay is released, as container images name them. */
export const PLATFORMS = ["linux/amd64", "linux/arm64"] as const;
export type Platform = (typeof PLATFORMS)[number];

/** Programs and runtime of a build for a platform. */
export interface Toolchain {
  /** `--target` of `bun build --compile`. */
  readonly bunTarget: string;
  /** npm package with Bun for the platform; undefined: the Bun that builds. */
  readonly bunRuntime: RuntimePackage | undefined;
  /** C compiler for a static executable. */
  readonly compiler: string;
  /** Arguments of the compiler for a static executable that is loaded at a random address. */
  readonly staticPie: readonly string[];
  /** Debian packages that have the compiler. */
  readonly packages: readonly string[];
}

/** An npm package with the executable of Bun or Node.js. */
export interface RuntimePackage {
  readonly name: string;
  /** `integrity` of the version in package.json, as npm writes it. */
  readonly integrity: string;
}

/** Baseline builds of Bun's runtime: their executables also run on processors without AVX2. */
const BUN_RUNTIMES: Readonly<Record<Platform, RuntimePackage>> = {
  "linux/amd64": {
    name: "@oven/bun-linux-x64-baseline",
    integrity: "sha512-s8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA==",
  },
  "linux/arm64": {
    name: "@oven/bun-linux-aarch64",
    integrity: "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
  },
};
const BUN_TARGETS: Readonly<Record<Platform, string>> = {
  "linux/amd64": "bun-linux-x64-baseline",
  "linux/arm64": "bun-linux-arm64",
};
type CompilerOptions = Pick<Toolchain, "compiler" | "staticPie" | "packages">;
const MUSL: CompilerOptions = {
  compiler: "musl-gcc",
  // musl-gcc does not know -static-pie: it links Scrt1.o, which does not relocate itself, where this needs rcrt1.o.
  staticPie: [
    "-static",
    "-nostartfiles",
    "-Wl,-pie,--no-dynamic-linker,-z,text",
    ...["rcrt1.o", "crti.o", "crtn.o"].map((file) => `-l:${file}`),
  ],
  packages: ["gcc", "musl-tools"],
};
const CROSS_COMPILERS: Readonly<Record<Platform, CompilerOptions>> = {
  "linux/amd64": {
    compiler: "x86_64-linux-gnu-gcc",
    staticPie: ["-static-pie"],
    packages: ["gcc-x86-64-linux-gnu", "libc6-dev-amd64-cross"],
  },
  "linux/arm64": {
    compiler: "aarch64-linux-gnu-gcc",
    staticPie: ["-static-pie"],
    packages: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
  },
};

/** Returns the platform of a machine by Node's name of its architecture; undefined for one that is not supported. */
function findPlatform(architecture: string): Platform | undefined {
  return ({ x64: "linux/amd64", arm64: "linux/arm64" } as const)[architecture];
}

/**
 * Selects the toolchain of a build.
 * @param platform undefined: this machine, with the Bun of npm's package `bun`
 * @param architecture of this machine, as Node names it
 * @throws if this machine's architecture is not supported and no platform is named
 */
export function selectToolchain(platform: Platform | undefined, architecture: string = process.arch): Toolchain {
  const machine = findPlatform(architecture);
  if (platform === undefined) {
    if (machine === undefined)
      throw new Error(`cannot build for ${architecture}: name a platform with --platform (${PLATFORMS.join(", ")})`);
    return { bunTarget: `bun-linux-${architecture}`, bunRuntime: undefined, ...MUSL };
  }
  return {
    bunTarget: BUN_TARGETS[platform],
    bunRuntime: BUN_RUNTIMES[platform],
    ...(platform === machine ? MUSL : CROSS_COMPILERS[platform]),
  };
}
