import { existsSync, readdirSync, readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

// The typeface's licence travels with it.
const licence: Plugin = {
  name: "typeface-licence",
  generateBundle() {
    const source = readFileSync("node_modules/@fontsource/alegreya-sans/LICENSE");
    this.emitFile({ type: "asset", fileName: "assets/alegreya-sans-license.txt", source });
  },
};

/** What every page has, the service worker, and the scripts and styles of single pages. */
function entries(): string[] {
  const ofPages = ["src/pages", "styles/pages"].flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((name) => `${folder}/${name}`) : [],
  );
  return ["src/main.ts", "src/sw.ts", "styles/main.css", ...ofPages.filter((name) => !name.endsWith(".test.ts"))];
}

const PLAYER = /\/src\/(player|controls|dom|keys|lock-screen|beacon|heard|ids|times|texts|install|outbox\/flag)\.ts$|preload-helper/;

// The server reads dist/.vite/manifest.json to learn the hashed names; dist/assets is served as /assets.
export default defineConfig({
  plugins: [licence],
  build: {
    outDir: "dist",
    manifest: true,
    modulePreload: { polyfill: false },
    // A data: address would need a hole in the content security policy.
    assetsInlineLimit: 0,
    rollupOptions: {
      input: entries(),
      // What every page has and others share is one file: a request each for a few hundred bytes would cost more.
      output: { codeSplitting: { groups: [{ name: "player", test: PLAYER }] } },
    },
  },
});
