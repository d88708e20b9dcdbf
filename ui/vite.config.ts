import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Development: `npm run dev` serves the sources and passes everything else on to a running server.
const server = process.env["SLIPWAY_URL"] ?? "http://127.0.0.1:7070";

export default defineConfig({
  plugins: [react()],
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(
      ["/api", "/ajax-api", "/v2", "/healthz", "/metrics"].map((path) => [path, { target: server, changeOrigin: true }]),
    ),
  },
  // The server may be shown below a path (--static-prefix), which it writes into the page itself; all else finds its way from
  // where it lies.
  experimental: { renderBuiltUrl: (filename, { hostType }) => (hostType === "html" ? `/${filename}` : { relative: true }) },
  build: {
    target: "es2022",
    assetsDir: "assets",
    // The content security policy forbids data: scripts and styles; files of their own also cache better.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
  },
});
