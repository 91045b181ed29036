import { findBannedWord } from "./words.js";

/** ESLint rules for the project's language; see CONTRIBUTING.md, "Style". */
export default {
  meta: { name: "interlay" },
  rules: {
    "no-banned-words": {
      meta: {
        type: "suggestion",
        schema: [],
        messages: { banned: '"{{word}}" is not plain English here: {{instead}}' },
      },
      create(context) {
        const check = (node, text, loc) => {
          const bannedWord = findBannedWord(text);
          if (bannedWord !== undefined)
            context.report({ ...(loc === undefined ? { node } : { loc }), messageId: "banned", data: bannedWord });
        };
        return {
          Program() {
            for (const comment of context.sourceCode.getAllComments()) check(undefined, comment.value, comment.loc);
          },
          Literal(node) {
            if (typeof node.value === "string" && node.value.includes(" ")) check(node, node.value);
          },
          TemplateElement(node) {
            check(node, node.value.cooked ?? "");
          },
        };
      },
    },
    "verb-noun-function": {
      meta: {
        type: "suggestion",
        schema: [],
        messages: { single: 'exported function "{{name}}" has a one-word name: use verb + noun, like parsePool' },
      },
      create(context) {
        const check = (id) => {
          if (/^[a-z]+\d*$/.test(id.name)) context.report({ node: id, messageId: "single", data: { name: id.name } });
        };
        return {
          "ExportNamedDeclaration > FunctionDeclaration"({ id }) {
            check(id);
          },
          "ExportNamedDeclaration > VariableDeclaration > VariableDeclarator[init.type='ArrowFunctionExpression']"({
            id,
          }) {
            check(id);
          },
        };
      },
    },
  },
};
