import { dirname, join, posix } from "node:path";

/** A page of the repository: its path and its text. */
export interface Page {
  readonly name: string;
  readonly text: string;
}

/** Folders whose paths a page names in full. */
const PATH = /(?<![\w/.~-])(?:plugin|clusters|e2e|results|scripts|docs|examples)\/[\w./*-]+/g;
/** Files that a build or a run creates. */
const GENERATED = /^(?:plugin\/dist|results\/(?:runs|latest|certificates))(?:\/|$)/;

/** Reports links to sections that their page does not have. Pure. */
export function findBrokenAnchors(pages: readonly Page[]): readonly string[] {
  const sections = new Map(pages.map(({ name, text }) => [name, listSections(text)]));
  return pages.flatMap(({ name, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)].flatMap(([, file = "", section = ""]) => {
      const target = file === "" ? name : posix.normalize(join(dirname(name), file));
      return sections.get(target)?.has(section) === false ? [`${name}: ${file}#${section}`] : [];
    }),
  );
}

/**
 * Reports paths in inline code and code blocks that do not exist. Pure.
 *
 * @param files tracked files, relative to the repository
 */
export function findMissingPaths({ name, text }: Page, files: readonly string[]): readonly string[] {
  const code = [...text.matchAll(/```[^\n]*\n([\s\S]*?)```|`([^`\n]+)`/g)].map(
    ([, block, inline]) => block ?? inline ?? "",
  );
  const paths = code.flatMap((part) => [...part.matchAll(PATH)].map(([path]) => path.replace(/[/.,:]+$/, "")));
  return paths
    .filter((path) => !GENERATED.test(path) && !files.some((file) => matchesPath(file, path)))
    .map((path) => `${name}: ${path}`);
}

/** Reports whether a file is the path or in it; `*` in the path stands for any part of a file name. */
function matchesPath(file: string, path: string): boolean {
  if (!path.includes("*")) return file === path || file.startsWith(`${path}/`);
  const pattern = path.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join("[^/]*")}$`).test(file);
}

/** Lists the anchors of a page's headings, as GitHub names them. */
function listSections(text: string): ReadonlySet<string> {
  const prose = text.replaceAll(/```[\s\S]*?```/g, "");
  return new Set(
    [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
