// The site of the documentation: `npm run docs`. Its pages are the repository's Markdown files as they are.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { defineConfig } from "vitepress";
import { ICON_URL } from "../../results/html/page-head.ts";

// Pages outside of docs/ find no package of docs/node_modules.
const VUE = join(import.meta.dirname, "..", "node_modules", "vue");
const HOME = "README.html";

/** Returns the sidebar: the sections and pages that docs/README.md lists. */
function readSidebar() {
  const [, ...sections] = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8").split(/^## /m);
  return sections.map((section) => ({
    text: section.split("\n", 1)[0],
    items: [...section.matchAll(/^\| \[([^\]]+)\]\(([^)]+)\.md\)/gm)].map(([, text, page]) => ({
      text,
      link: `/${posix.join("docs", page)}`,
    })),
  }));
}

export default defineConfig({
  title: "Interlay",
  description: "Overlay, underlay and multi-NIC pods in one Kubernetes cluster",
  head: [["link", { rel: "icon", href: ICON_URL }]],
  srcDir: "..",
  cacheDir: "node_modules/.vitepress",
  vite: { resolve: { alias: { "vue/server-renderer": join(VUE, "server-renderer"), vue: VUE } } },
  // Files and folders of the repository that are no pages.
  ignoreDeadLinks: [/\/samples\//, (link) => !/\.(md|html)(#.*)?$/.test(link)],
  themeConfig: {
    nav: [
      { text: "Quick start", link: "/docs/quick-start" },
      { text: "Install", link: "/docs/install" },
      { text: "Commands", link: "/docs/reference/cli" },
    ],
    sidebar: readSidebar(),
    search: { provider: "local" },
    outline: [2, 3],
  },
  markdown: {
    config(markdown) {
      const { fence } = markdown.renderer.rules;
      markdown.renderer.rules.fence = (tokens, index, ...rest) =>
        tokens[index].info === "mermaid"
          ? `<Diagram text="${encodeURIComponent(tokens[index].content)}" />`
          : fence(tokens, index, ...rest);
    },
  },
  buildEnd({ outDir }) {
    cpSync(join(import.meta.dirname, "..", "samples"), join(outDir, "docs", "samples"), { recursive: true });
    writeFileSync(join(outDir, "index.html"), `<!doctype html><meta http-equiv="refresh" content="0; url=${HOME}">\n`);
  },
});
