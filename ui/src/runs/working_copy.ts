// A folder with a slipway.yaml as a snapshot: the files a run would see, and what is known of them.
import type { Folder, FolderFile } from "../parts/folder";
import { bytes } from "../parts/format";
import { make_ignored } from "./gitignore";

export const kProjectFile = "slipway.yaml";
/// As `slipway run`: more than this and something is not ignored that should be.
export const kSnapshotBytesMax = 500 * 1024 * 1024;
const kFileBytesMax = 50 * 1024 * 1024;
const kOmittedMax = 1000;

export interface WorkingCopy {
  name: string;
  files: FolderFile[];
  bytes: number;
  project_file: string;
  ignored_count: number;
  manifest: Manifest;
}
/// As the command line writes it. `dirty` is null: a browser cannot ask git what has changed.
export interface Manifest {
  version: 1; commit: string; branch: string; remote: string; dirty: boolean | null; diff: string; diff_cut: boolean; untracked: string[];
  omitted: { path: string; size: number; why: string }[]; submodules: { path: string; commit: string }[];
}

/// Fails with a sentence when there is no slipway.yaml or too much else.
export async function read_working_copy({ name, files }: Folder): Promise<WorkingCopy> {
  const by_path = new Map(files.map((one) => [one.path, one.file]));
  const text = async (path: string) => (await by_path.get(path)?.text()) ?? "";
  if (!by_path.has(kProjectFile)) {
    const below = files.find(({ path }) => path.endsWith(`/${kProjectFile}`));
    throw new Error(below ? `The ${kProjectFile} lies in ${below.path.slice(0, -kProjectFile.length - 1)}; choose that folder.` : `There is no ${kProjectFile} in this folder. \`slipway init\` writes one to begin with.`);
  }
  const is_git = (path: string) => path === ".git" || path.startsWith(".git/") || path.includes("/.git/");
  const ignore_files = await Promise.all(files.filter(({ path }) => /(^|\/)\.gitignore$/.test(path)).map(async ({ path, file }) => ({ folder: path.slice(0, -".gitignore".length).replace(/\/$/, ""), text: await file.text() })));
  const ignored = make_ignored([{ folder: "", text: await text(".git/info/exclude") }, ...ignore_files].sort((a, b) => a.folder.length - b.folder.length));
  const seen = files.filter(({ path }) => !is_git(path));
  const wanted = seen.filter(({ path }) => !ignored(path));
  const taken = wanted.filter(({ file }) => file.size <= kFileBytesMax);
  const size = taken.reduce((sum, { file }) => sum + file.size, 0);
  if (size > kSnapshotBytesMax) {
    const largest = [...taken].sort((a, b) => b.file.size - a.file.size).slice(0, 3).map(({ path, file }) => `${path} (${bytes(file.size)})`);
    throw new Error(`The folder holds ${bytes(size)}, more than the ${bytes(kSnapshotBytesMax)} of a snapshot. The largest are ${largest.join(", ")}: ignore them in .gitignore, or make them a dataset.`);
  }
  const omitted = wanted.filter(({ file }) => file.size > kFileBytesMax).map(({ path, file }) => ({ path, size: file.size, why: `larger than ${bytes(kFileBytesMax)}` }));
  const { commit, branch } = await git_head(text);
  return {
    name, files: taken, bytes: size, project_file: await text(kProjectFile), ignored_count: seen.length - wanted.length,
    manifest: { version: 1, commit, branch, remote: "", dirty: commit ? null : false, diff: "", diff_cut: false, untracked: [], omitted: omitted.slice(0, kOmittedMax), submodules: [] },
  };
}

/// Commit and branch that .git/HEAD points to; empty without git.
async function git_head(text: (path: string) => Promise<string>): Promise<{ commit: string; branch: string }> {
  const head = (await text(".git/HEAD")).trim();
  const reference = /^ref: (\S+)$/.exec(head)?.[1];
  if (!reference) return { commit: /^[0-9a-f]{40}$/.test(head) ? head : "", branch: "" };
  const loose = (await text(`.git/${reference}`)).trim();
  const packed = (await text(".git/packed-refs")).split("\n").find((line) => line.endsWith(` ${reference}`))?.split(" ")[0];
  const commit = loose || packed || "";
  return { commit: /^[0-9a-f]{40}$/.test(commit) ? commit : "", branch: reference.replace(/^refs\/heads\//, "") };
}
