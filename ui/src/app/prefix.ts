// The path below which a proxy shows this server (`--static-prefix`): "/lab", or empty. The server writes it into the page.

export const kPrefix = typeof document === "undefined" ? "" : (document.documentElement.dataset["prefix"] ?? "");

/// An address of this server as the browser must ask for it.
export const prefixed = (path: string) => (path.startsWith("/") ? kPrefix + path : path);

/// What is left of a browser's path below the prefix; a path without it stays, because a proxy may have taken it off.
export const unprefixed = (pathname: string, prefix = kPrefix) =>
  prefix && (pathname === prefix || pathname.startsWith(`${prefix}/`)) ? pathname.slice(prefix.length) || "/" : pathname;

/// For what people copy: commands and addresses that lead here.
export const server_url = () => location.origin + kPrefix;
