// VitePress' theme with the diagrams of the pages, which GitHub draws too.
import DefaultTheme from "vitepress/theme";
import { defineComponent, h, onMounted, ref } from "vue";

const Diagram = defineComponent({
  props: { text: { type: String, required: true } },
  setup(props) {
    const svg = ref("");
    onMounted(async () => {
      const { default: mermaid } = await import("mermaid");
      const theme = document.documentElement.classList.contains("dark") ? "dark" : "default";
      mermaid.initialize({ startOnLoad: false, theme, flowchart: { htmlLabels: false } });
      const id = `diagram-${Math.random().toString(36).slice(2)}`;
      svg.value = (await mermaid.render(id, decodeURIComponent(props.text))).svg;
    });
    return () => h("div", { innerHTML: svg.value });
  },
});

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component("Diagram", Diagram);
  },
};
