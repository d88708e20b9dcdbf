// The records of /api/v1, as the server sends them.
export type Text = Record<string, string>;

export interface Server {
  version: string;
  started_at: string;
  database: "sqlite" | "postgresql";
  data_bytes_free: number;
  member: { id: string; name: string; role: string } | null;
  projects: { id: string; name: string }[];
}

export interface SearchResult { kind: string; id: string; name: string; url: string }

export interface Experiment {
  id: string; name: string; state: "active" | "deleted"; created_at: string; updated_at: string; tags: Text; run_count: number;
}

export type RunState = "queued" | "scheduled" | "running" | "stopping" | "finished" | "failed" | "killed";
export interface Metric { last: Num; step: number; at: string | null; min: Num; max: Num; count: number }
/// JSON has no NaN: those come as text.
export type Num = number | "NaN" | "Infinity" | "-Infinity" | null;
export interface Run {
  id: string;
  name: string;
  experiment_id: string;
  experiment_name: string;
  state: RunState;
  member: string | null;
  source: { kind: "client" | "step"; step?: string | null; command?: string | null; commit?: string | null; branch?: string | null; dirty?: boolean | null; pipeline_run_id?: string | null } | null;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  duration_s: number | null;
  parameters: Text;
  tags: Text;
  metrics: Record<string, Metric>;
  attempt_count: number | null;
  cost: number | null;
  deleted: boolean;
  queue_message?: string | null;
  message?: string | null;
}
export interface RunColumns { metrics: string[]; parameters: string[]; tags: string[] }
export interface Series {
  run_id?: string; key: string; count: number; thinned: boolean;
  steps: number[]; times_ms: number[]; values: Num[]; min: Num[] | null; max: Num[] | null;
}
export interface Artifact { path: string; is_directory: boolean; size: number | null; hash: string | null }
export interface Snapshot {
  commit: string | null; branch: string | null; remote: string | null; dirty: boolean; diff: string | null; diff_cut?: boolean | null; file_count?: number;
  files: { path: string; size: number; hash: string; untracked: boolean }[];
  omitted: { path: string; size: number; why: string }[];
}
export interface Environment {
  kind: string; interpreter: string | null; python_version: string | null; packages: { name: string; version: string }[]; lock_hash: string | null;
}
export interface Linked { kind: string; id: string; name: string; url: string; relation: string }
export interface Lineage { inputs: Linked[]; outputs: Linked[] }
export interface Attempt {
  id: string; number: number; state: string; node: string | null; pid: number | null; started_at: string | null; ended_at: string | null;
  end: string | null; exit_code: number | null; signal: string | number | null; message: string | null;
}
export interface RunDiff {
  parameters: { key: string; left: string | null; right: string | null }[];
  metrics: { key: string; left: Num; right: Num }[];
  code: { left_commit: string | null; right_commit: string | null; diff_of_diffs: string | null };
  environment: { name: string; left: string | null; right: string | null }[];
  inputs: { name: string; left: string | null; right: string | null }[];
}
export interface LogPiece { offset: number; next_offset: number; text: string; end: boolean }

export interface Branch { name: string; commit_id: string; updated_at: string }
export interface Dataset {
  id: string; name: string; description: string; created_at: string; branches: Branch[]; sample_count: number; bytes: number;
}
export interface StreamDeclaration { files?: string; decode?: string; optional?: boolean; [other: string]: unknown }
export interface Declaration { key?: string; streams?: Record<string, StreamDeclaration>; [other: string]: unknown }
export interface Commit {
  id: string; dataset_id: string; dataset: string; parent_id: string | null; tree: string; message: string; author: string | null;
  created_at: string; sample_count: number; bytes: number; declaration: Declaration | null;
}
export interface Stream { path: string; hash: string; size: number; media_type: string; width: number | null; height: number | null }
export interface Sample { key: string; streams: Record<string, Stream>; attributes: Record<string, string | number | boolean | null>; label: unknown }
export interface DatasetDiff {
  added: Sample[]; removed: Sample[]; changed: { before: Sample; after: Sample }[]; counts: { added: number; removed: number; changed: number };
}

export interface Model {
  id: string; name: string; description: string; tags: Text; created_at: string; updated_at: string; latest_version: number | null;
  aliases: Record<string, number>; versions_count: number; deployments?: string[];
}
export interface Tensor { name: string; datatype: string; shape: number[] }
export interface Version {
  model: string; version: number; description: string; status: string; stage: string | null; source: string | null; run_id: string | null;
  logged_model_id: string | null; created_at: string; created_by: string | null; tags: Text; aliases: string[];
  inputs: Tensor[]; outputs: Tensor[]; files: { path: string; size: number; hash: string }[];
  preprocess: Record<string, unknown> | null; labels: string[] | null; evaluations: { id: string; name: string; dataset?: string; metrics?: Record<string, Estimate> }[];
}
export interface AliasChange { at: string; alias: string; from_version: number | null; to_version: number | null; member: string | null; reason: string | null }

export interface Deployment {
  id: string; name: string; model: string; version: number | null; alias: string | null;
  state: "starting" | "ready" | "updating" | "degraded" | "failed" | "stopped";
  endpoint: string; replicas: { min: number; max: number; ready: number }; batch: { max: number; delay_ms: number };
  capture: { sample: number; always: string[] };
  revisions: { id: string; number: number; model: string; version: number; created_at: string; member: string | null; state: string; message?: string | null; reason?: string | null }[];
  workers: { id: string; version: number; state: string; pid: number | null; memory_bytes: number | null; started_at: string | null }[];
  traffic: { requests_total: number; errors_total: number; per_s: number; p50_ms: number | null; p99_ms: number | null };
  memory_bytes: number | null; created_at: string; message: string | null;
}
export interface TrafficMinute { at: string; requests: number; errors: number; p50_ms: number | null; p99_ms: number | null; confidence_mean: number | null }
export interface HistogramData { edges: number[]; counts: number[] }
export interface Drift {
  /// What the answers are held against, in words; null before there is one.
  reference: string | null;
  answers: number;
  statistics: {
    name: string; kind: string; psi: number | null; ks: number | null; threshold: number | null; verdict: "too_few" | "steady" | "drifted";
    reference_histogram: HistogramData | null; current_histogram: HistogramData | null;
  }[];
}

export interface Estimate { value: number; low: number | null; high: number | null; n: number }
export interface Slice { name: string; query: string; n: number | null; metrics: Record<string, Estimate> }
export interface Evaluation {
  id: string; name: string; model: string; version: number; dataset: string; commit_id: string; task: string; state: string; run_id: string | null;
  message?: string | null; created_at: string; metrics: Record<string, Estimate>; slices: Slice[];
}
export interface EvaluatedSample {
  key: string; label: string | number | null; prediction: string | number | null; confidence: number | null; correct: boolean | number | null;
  attributes: Record<string, string | number | boolean | null>; image_hash: string | null;
}
export interface EvaluationComparison {
  slices: { name: string; n: number; metric: string; left: Estimate; right: Estimate; difference: number; low: number; high: number; verdict: "better" | "worse" | "same" | "unclear"; fixed: number; broken: number }[];
  flips: { fixed: number; broken: number };
}

export interface Finding {
  id: string; deployment: string; model: string; version: number; kind: string; state: "open" | "closed"; statistic: string; value: number | null;
  threshold: number | null; message: string; created_at: string; updated_at: string; closed_at: string | null;
}
export interface Case {
  id: string; deployment: string; answer_id: string; at: string; reason: "error" | "low_confidence" | "sampled" | "flagged";
  state: "open" | "labelled" | "sent" | "held_out" | "dismissed"; label: string | null; feedback: { correct: boolean | null; label: string | null; comment: string | null } | null;
  prediction: string | null; confidence: number | null; error: string | null; input_hash: string | null; input_bytes: number; media_type: string | null;
  model: string; version: number; stats: Record<string, number | null>; slice: string | null; dataset_commit: string | null;
}

export interface SentCases { commit_id: string; branch: string; sent: string[]; held_out: string[]; held_out_commit_id: string | null }

export interface Pipeline { name: string; run_count: number }
export interface PipelineNode {
  name: string; kind: string; state: string; run_id: string | null; evaluation_id: string | null; cache: "hit" | "miss" | null; why: string | null;
  message: string | null; after: string[];
}
export interface PipelineRun { id: string; pipeline: string; state: string; member: string | null; reason: string | null; created_at: string; ended_at: string | null; nodes: PipelineNode[] }

export interface Overview {
  running_runs: Run[]; recent_runs: Run[]; deployments: Deployment[]; open_findings: Finding[];
  counts: { runs: number; datasets: number; models: number; deployments: number; open_cases: number; open_findings: number };
  usage: { blob_bytes: number; gpu_s: number; cpu_s: number; cost: number };
}
export interface Why {
  answer: Record<string, unknown>; machine: Record<string, unknown> | null; cost: number | null; member: string | null;
  chain: { kind: string; title: string; detail: string | null; url: string | null }[];
  [other: string]: unknown;
}
