// Hashes files beside the page, so that it stays awake.
import { Blake3 } from "./blake3";

export interface HashRequest { id: number; file: File }
/// `script`: the file begins with #!, so it is meant to be executed. Browsers do not tell permissions.
export type HashAnswer = { id: number; hash: string; script: boolean } | { id: number; error: string };

const kPieceBytes = 4 * 1024 * 1024;

async function hash(file: File): Promise<{ hash: string; script: boolean }> {
  const hasher = new Blake3();
  let script = false;
  for (let from = 0; from < file.size; from += kPieceBytes) {
    const piece = new Uint8Array(await file.slice(from, from + kPieceBytes).arrayBuffer());
    if (from === 0) script = piece[0] === 0x23 && piece[1] === 0x21;
    hasher.update(piece);
  }
  return { hash: hasher.hex(), script };
}

self.onmessage = ({ data: { id, file } }: MessageEvent<HashRequest>) => {
  hash(file).then(
    (made) => self.postMessage({ id, ...made } satisfies HashAnswer),
    (error: Error) => self.postMessage({ id, error: error.message } satisfies HashAnswer),
  );
};
