// Bytes by their hash: what has a hash never changes, so it is asked for once.
import { useQuery, type QueryClient } from "@tanstack/react-query";
import { ask, part, type ApiError } from "../api/client";
import { bytes } from "../parts/format";

export const kPictureBytesMax = 64 << 20;
export const kTextBytesMax = 4 << 20;
const kKeptMs = 120_000;

interface File { hash: string; size: number }

const query_of = (file: File) => ({
  queryKey: ["blob", file.hash],
  queryFn: async ({ signal }: { signal: AbortSignal }) => (await ask(`/api/v1/blobs/${part(file.hash)}`, { headers: { Accept: "*/*" }, signal })).blob(),
  staleTime: Infinity,
  gcTime: kKeptMs,
});

/// The file, unless it is larger than `most`; then `problem` says so.
export function useBytes(file: File | null, most = kPictureBytesMax) {
  const too_large = file !== null && file.size > most;
  const answer = useQuery<Blob, ApiError>({ ...query_of(file ?? { hash: "", size: 0 }), enabled: file !== null && !too_large });
  return { data: answer.data, error: answer.error, problem: too_large ? `${bytes(file.size)} are too much to show here.` : "" };
}

/// What will be wanted next: the neighbours of a step.
export function prefetch(client: QueryClient, file: File) {
  if (file.size <= kPictureBytesMax) void client.prefetchQuery(query_of(file));
}

export function useText(file: File | null, most = kTextBytesMax) {
  const found = useBytes(file, most);
  const text = useQuery<string>({
    queryKey: ["blob", file?.hash ?? "", "text"], queryFn: () => found.data!.text(), enabled: found.data !== undefined, staleTime: Infinity, gcTime: kKeptMs,
  });
  return { ...found, text: text.data };
}
