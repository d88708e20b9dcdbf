// Folders that a person chooses or drops: their files, with paths below the folder.
export interface FolderFile { path: string; file: File }
export interface Folder { name: string; files: FolderFile[] }

/// More than this is no folder to go through a browser; the command line has no such limit.
export const kFilesMax = 500_000;

/// What <input webkitdirectory> gives: the first part of every path is the folder's own name.
export function folder_of_input(list: ArrayLike<File>): Folder {
  const files = Array.from(list);
  const name = files[0]?.webkitRelativePath.split("/")[0] ?? "";
  return { name, files: limited(files.map((file) => ({ path: file.webkitRelativePath.split("/").slice(1).join("/") || file.name, file }))) };
}

/// What was dropped. One folder is that folder; several things lie side by side.
export async function folder_of_drop(items: DataTransferItemList): Promise<Folder> {
  // All entries have to be asked for before anything is awaited: the list empties itself.
  const entries = Array.from(items).flatMap((item) => item.webkitGetAsEntry() ?? []);
  const [first] = entries;
  const is_one = entries.length === 1 && !!first?.isDirectory;
  const files: FolderFile[] = [];
  for (const entry of entries) await collect(entry, is_one ? "" : entry.name, files);
  return { name: is_one ? first.name : "", files };
}

async function collect(entry: FileSystemEntry, path: string, files: FolderFile[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    files.push({ path, file });
    limited(files);
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives a hundred or so at a time, and none when it is at its end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const one of some) await collect(one, path ? `${path}/${one.name}` : one.name, files);
  }
}

function limited(files: FolderFile[]): FolderFile[] {
  if (files.length > kFilesMax) throw new Error(`The folder holds more than ${kFilesMax.toLocaleString("en")} files, which is too many for a browser. The command line takes them.`);
  return files;
}

/// Whether the file or a folder above it begins with a dot: such files are passed over, as the command line does.
export const is_hidden = (path: string) => path.split("/").some((part) => part.startsWith("."));
