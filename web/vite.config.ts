import { defineConfig } from "vite";

// The server reads dist/.vite/manifest.json to learn the hashed names; dist/assets is served as /assets.
export default defineConfig({
  build: {
    outDir: "dist",
    manifest: true,
    modulePreload: { polyfill: false },
    // A data: address would need a hole in the content security policy.
    assetsInlineLimit: 0,
    rollupOptions: { input: ["src/main.ts", "styles/main.css"] },
  },
});
