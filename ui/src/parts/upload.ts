// Brings a folder's files into the store, each content once.
//
// Files go in groups: hashed by workers, then the server is asked which it lacks, then those are sent: small ones many at once,
// large ones each on its own. While one group is sent the next is hashed. What the store has already costs no sending, so an
// upload that broke off goes on where it was, after a retry as after a reload.
import { ApiError, project, send } from "../api/client";
import { prefixed } from "../app/prefix";
import type { FolderFile } from "./folder";
import type { HashAnswer, HashRequest } from "./hash_worker";
import type { TreeEntry } from "./tree";

const kGroupFilesMax = 1000;
const kGroupBytesMax = 64 * 1024 * 1024;
const kSmallBytes = 1024 * 1024;
const kBatchBytesMax = 8 * 1024 * 1024;
const kSendsAtOnce = 3;
const kWorkersMax = 4;
/// Waits between tries when the server does not answer or is busy.
const kPausesMs = [500, 1000, 2000, 4000, 8000];
const kRateOverMs = 5000;

export interface UploadProgress {
  files: number; files_all: number;
  bytes: number; bytes_all: number;
  /// Of `files`, those that the store had.
  files_there: number;
  bytes_per_s: number | null;
  left_s: number | null;
}

/// One folder on its way. `run` may be called again after a failure; it goes on with what is missing.
export class Upload {
  private readonly known = new Map<FolderFile, TreeEntry>();
  private readonly done = new Set<FolderFile>();
  private readonly bytes_all: number;
  private done_bytes = 0;
  private files_there = 0;
  private in_flight = 0;
  private readonly pace = new Pace();

  constructor(private readonly files: FolderFile[], private readonly on_progress: (progress: UploadProgress) => void) {
    this.bytes_all = files.reduce((sum, { file }) => sum + file.size, 0);
  }

  /// The entries of the folder's tree once all of them are in the store.
  async run(signal: AbortSignal): Promise<TreeEntry[]> {
    const hashing = new HashPool(signal);
    const sends = new Slots(kSendsAtOnce);
    this.pace.start();
    try {
      const groups: Promise<void>[] = [];
      for (const group of groups_of(this.files.filter((file) => !this.done.has(file)))) {
        await Promise.all(group.map(async (one) => { if (!this.known.has(one)) this.known.set(one, await hashing.hash(one)); }));
        // At most two groups are on their way; a failure of an earlier one ends the upload here.
        if (groups.length >= 2) await groups.shift();
        const sending = this.send_group(group, sends, signal);
        sending.catch(() => {});
        groups.push(sending);
      }
      await Promise.all(groups);
    } finally {
      hashing.end();
      this.tell();
    }
    return this.files.map((file) => this.known.get(file)!);
  }

  private async send_group(group: FolderFile[], sends: Slots, signal: AbortSignal) {
    const hashes = [...new Set(group.map((file) => this.known.get(file)!.hash))];
    const { missing } = await patiently(() => send<{ missing: string[] }>("POST", "/api/v1/blobs/missing", { hashes }), signal);
    const lacks = new Set(missing);
    const there = group.filter((file) => !lacks.has(this.known.get(file)!.hash));
    this.files_there += there.length;
    this.finish(there);
    // Each content once, however many files have it.
    const wanted = [...new Map(group.filter((file) => lacks.has(this.known.get(file)!.hash)).map((file) => [this.known.get(file)!.hash, file])).values()];
    await Promise.all(batches_of(wanted).map((batch) => sends.with(() => this.send_batch(batch, signal))));
    this.finish(group);
  }

  private async send_batch(batch: FolderFile[], signal: AbortSignal) {
    const [only] = batch;
    const is_large = batch.length === 1 && only!.file.size > kSmallBytes;
    const body = is_large ? only!.file : framed(batch);
    let told = 0;
    const on_sent = (bytes: number) => { this.in_flight += bytes - told; told = bytes; this.tell(); };
    try {
      const path = is_large ? `/api/v1/blobs/${this.known.get(only!)!.hash}` : "/api/v1/blobs/batch";
      const answer = await patiently(() => { on_sent(0); return transfer(is_large ? "PUT" : "POST", path, body, on_sent, signal); }, signal)
        .catch((error: Error) => { throw error instanceof ApiError && error.status === 0 ? unreadable(batch, error) : error; });
      const kept = (is_large ? [answer] : (answer as { blobs: { hash: string }[] }).blobs) as { hash: string }[];
      batch.forEach((file, i) => { if (kept[i]?.hash !== this.known.get(file)!.hash) throw new Error(`${file.path} was changed while it was read. Choose the folder again.`); });
      this.finish(batch);
    } finally {
      on_sent(0);
    }
  }

  private finish(files: FolderFile[]) {
    for (const one of files) {
      if (this.done.has(one)) continue;
      this.done.add(one);
      this.done_bytes += one.file.size;
    }
    this.tell();
  }

  private tell() {
    const bytes = this.done_bytes + this.in_flight;
    const rate = this.pace.rate(bytes);
    this.on_progress({
      files: this.done.size, files_all: this.files.length, bytes: Math.min(bytes, this.bytes_all), bytes_all: this.bytes_all, files_there: this.files_there,
      bytes_per_s: rate, left_s: rate ? Math.max(0, this.bytes_all - bytes) / rate : null,
    });
  }
}

/// A connection that fails while a file cannot be read any more is the file's fault.
function unreadable(batch: FolderFile[], error: ApiError): Error {
  return new ApiError(0, error.code, `${error.message} Or ${batch.length === 1 ? batch[0]!.path : `one of ${batch.length} files from ${batch[0]!.path} on`} was changed or removed since the folder was chosen.`, error.details, error.request);
}

function* groups_of(files: FolderFile[]): Generator<FolderFile[]> {
  let group: FolderFile[] = [];
  let bytes = 0;
  for (const file of files) {
    if (group.length > 0 && (group.length >= kGroupFilesMax || bytes + file.file.size > kGroupBytesMax)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(file);
    bytes += file.file.size;
  }
  if (group.length > 0) yield group;
}

/// Large files alone, small ones together.
export function batches_of(files: FolderFile[]): FolderFile[][] {
  const batches: FolderFile[][] = files.filter(({ file }) => file.size > kSmallBytes).map((one) => [one]);
  let batch: FolderFile[] = [];
  let bytes = 0;
  for (const one of files) {
    if (one.file.size > kSmallBytes) continue;
    if (bytes + one.file.size > kBatchBytesMax) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(one);
    bytes += one.file.size;
  }
  return batch.length > 0 ? [...batches, batch] : batches;
}

/// Many blobs in one body: four bytes of length, least first, before each.
function framed(batch: FolderFile[]): Blob {
  return new Blob(batch.flatMap(({ file }) => {
    const head = new DataView(new ArrayBuffer(4));
    head.setUint32(0, file.size, true);
    return [head.buffer, file];
  }));
}

/// Sends bytes and tells how many have left; fetch cannot.
function transfer(method: string, path: string, body: Blob, on_sent: (bytes: number) => void, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const name = `${method} ${path}`;
    const stop = () => request.abort();
    const end = (how: () => void) => { signal.removeEventListener("abort", stop); how(); };
    signal.addEventListener("abort", stop);
    request.open(method, prefixed(path));
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-Slipway-Project", project());
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({ loaded }) => on_sent(Math.min(loaded, body.size));
    request.onload = () => end(() => {
      if (request.status < 300) { resolve(JSON.parse(request.responseText)); return; }
      reject(refusal(request, name));
    });
    request.onerror = () => end(() => reject(new ApiError(0, "unreachable", "The server did not take the files.", {}, name)));
    request.onabort = () => end(() => reject(new DOMException("stopped", "AbortError")));
    request.send(body);
  });
}

function refusal(request: XMLHttpRequest, name: string): ApiError {
  try {
    const { error } = JSON.parse(request.responseText) as { error: { code: string; message: string; details?: Record<string, unknown> } };
    return new ApiError(request.status, error.code, error.message, error.details ?? {}, name);
  } catch {
    const text = request.responseText.trim();
    return new ApiError(request.status, "unknown", text && text.length < 400 ? text : `The server answered ${request.status} without a reason.`, {}, name);
  }
}

/// Tries again after a pause while the server is away or busy.
async function patiently<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const pause of kPausesMs) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ApiError) || ![0, 502, 503, 504].includes(error.status)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  signal.throwIfAborted();
  return call();
}

/// At most so many at a time.
class Slots {
  private readonly waiting: (() => void)[] = [];
  constructor(private free: number) {}
  async with<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--; else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next(); else this.free++;
    }
  }
}

/// Bytes a second over the last seconds.
export class Pace {
  private marks: [number, number][] = [];
  start() { this.marks = []; }
  rate(bytes: number, now = performance.now()): number | null {
    this.marks.push([now, bytes]);
    while (this.marks.length > 2 && this.marks[1]![0] < now - kRateOverMs) this.marks.shift();
    const [from, before] = this.marks[0]!;
    return now - from < 300 ? null : Math.max(0, bytes - before) / ((now - from) / 1000);
  }
}

interface HashJob { one: FolderFile; resolve: (entry: TreeEntry) => void; reject: (error: Error) => void }

/// Workers that hash, one file at a time each.
class HashPool {
  private readonly workers: Worker[];
  private readonly idle: Worker[];
  private readonly queue: HashJob[] = [];
  private readonly active = new Set<HashJob>();

  constructor(signal: AbortSignal) {
    const count = Math.max(1, Math.min(kWorkersMax, (navigator.hardwareConcurrency || 2) - 1));
    this.workers = Array.from({ length: count }, () => new Worker(new URL("./hash_worker.ts", import.meta.url), { type: "module" }));
    this.idle = [...this.workers];
    signal.addEventListener("abort", () => {
      for (const { reject } of [...this.queue.splice(0), ...this.active]) reject(new DOMException("stopped", "AbortError"));
      this.end();
    });
  }
  hash(one: FolderFile): Promise<TreeEntry> {
    return new Promise((resolve, reject) => { this.queue.push({ one, resolve, reject }); this.next(); });
  }
  end() { for (const worker of this.workers) worker.terminate(); }

  private next() {
    const worker = this.idle.pop();
    const job = worker && this.queue.shift();
    if (!worker || !job) { if (worker) this.idle.push(worker); return; }
    const { one: { path, file }, resolve, reject } = job;
    this.active.add(job);
    worker.onmessage = ({ data }: MessageEvent<HashAnswer>) => {
      this.active.delete(job);
      if ("error" in data) reject(new Error(`${path} could not be read: ${data.error}`));
      else resolve({ path, hash: data.hash, size: file.size, script: data.script });
      this.idle.push(worker);
      this.next();
    };
    worker.onerror = () => reject(new Error(`${path} could not be hashed: the browser refused to start a worker.`));
    worker.postMessage({ id: 0, file } satisfies HashRequest);
  }
}
