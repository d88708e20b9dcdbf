import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { start_events } from "./api/events";
import { start_keys } from "./app/keys";
import { Router } from "./app/router";
import { Shell } from "./app/shell";
import { apply_theme } from "./app/theme";
import "./app/tokens.css";
import "./app/base.css";

apply_theme();
start_keys();

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // The event stream says what is old; a page shown again asks once more anyway.
      staleTime: 2_000,
      gcTime: 10 * 60_000,
      // A refusal stays a refusal; only silence is worth asking again.
      retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status === 503),
      refetchOnWindowFocus: true,
    },
  },
});
start_events(client);

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <Router>
        <Shell />
      </Router>
    </QueryClientProvider>
  </StrictMode>,
);
