// Where what an audit line is about is found.
import type { AuditEntry } from "../api/types";

const part = encodeURIComponent;

/// The page of a line's subject within its project; null where it has none, or none any more.
export function page_of({ kind, subject, action, project }: Pick<AuditEntry, "kind" | "subject" | "action" | "project">): string | null {
  if (action.endsWith("for good") || action.startsWith("delete project") || /\(deleted \w+\)$/.test(project ?? "")) return null;
  const gone = action.startsWith("delete ");
  switch (kind) {
    case "run": return `/runs/${part(subject)}`;
    case "experiment": return `/runs?experiment=${part(subject)}`;
    case "report": return gone ? null : `/reports/${part(subject)}`;
    case "model": return gone ? null : `/models/${part(subject)}`;
    case "model_version": return gone ? null : version_page(subject);
    case "dataset": return gone ? null : `/datasets/${part(subject)}`;
    case "deployment": return gone ? null : `/deployments/${part(subject)}`;
    case "pipeline": return "/pipelines";
    case "token": return "/settings?tab=tokens";
    case "member": return "/settings?tab=members";
    case "project": return action === "set retention rules" ? "/settings?tab=retention" : "/settings?tab=projects";
    default: return null;
  }
}

function version_page(subject: string): string {
  const slash = subject.lastIndexOf("/");
  return `/models/${part(subject.slice(0, slash))}/versions/${part(subject.slice(slash + 1))}`;
}

/// A day as the API wants it: its beginning where the reader is.
export function time_of(day: string): string {
  const time = new Date(`${day}T00:00:00`);
  return Number.isNaN(time.getTime()) ? "" : time.toISOString();
}
