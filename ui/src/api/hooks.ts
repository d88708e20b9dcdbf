// How pages read and change what the server holds. Keys are [noun, "list" | id, ...what], so that one event of the
// stream can say which of them are old.
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useMemo } from "react";
import { ApiError, get, send, url } from "./client";

interface Options { enabled?: boolean; keep?: boolean; stale_ms?: number; every_ms?: number; first?: number }

/// One record. `keep` shows the former answer while a new one is on its way (a filter that changes, a zoom); `every_ms` asks
/// again at that pace while the page is seen, for numbers that change without an event (traffic).
export function useGet<T>(key: QueryKey, path: string, { enabled = true, keep = false, stale_ms, every_ms }: Options = {}) {
  return useQuery<T, ApiError>({
    queryKey: key,
    queryFn: ({ signal }) => get<T>(path, signal),
    enabled,
    ...(keep ? { placeholderData: keepPreviousData } : {}),
    ...(stale_ms !== undefined ? { staleTime: stale_ms } : {}),
    ...(every_ms !== undefined ? { refetchInterval: every_ms } : {}),
  });
}

type Query = Record<string, string | number | boolean | string[] | null | undefined>;
type ListAnswer = { next_page_token: string | null; total?: number } & Record<string, unknown>;

export const kPageSize = 200;

/// A list that grows as one scrolls. `first` is how many come before all others: as many as fill a screen are there sooner.
export function useList<T>(key: QueryKey, path: string, plural: string, query: Query = {}, { enabled = true, every_ms, first = kPageSize }: Options = {}) {
  const result = useInfiniteQuery<ListAnswer, ApiError, { pages: ListAnswer[] }, QueryKey, string | null>({
    queryKey: [...key, path, query],
    queryFn: ({ pageParam, signal }) => get<ListAnswer>(url(path, { page_size: pageParam === null ? first : kPageSize, ...query, page_token: pageParam }), signal),
    initialPageParam: null,
    getNextPageParam: (last) => last.next_page_token,
    placeholderData: keepPreviousData,
    enabled,
    ...(every_ms !== undefined ? { refetchInterval: every_ms } : {}),
  });
  const pages = result.data?.pages;
  const rows = useMemo(() => (pages ?? []).flatMap((page) => (page[plural] as T[] | undefined) ?? []), [pages, plural]);
  return {
    rows,
    total: pages?.[0]?.total ?? (result.hasNextPage ? undefined : rows.length),
    error: result.error,
    loading: result.isPending && enabled,
    /// A new filter or order is being asked for; the rows are still those of the former one.
    changing: result.isPlaceholderData,
    more: result.hasNextPage,
    loading_more: result.isFetchingNextPage,
    load_more: () => { if (result.hasNextPage && !result.isFetchingNextPage) void result.fetchNextPage(); },
    again: () => void result.refetch(),
  };
}
export type List<T> = ReturnType<typeof useList<T>>;

type Verb = "POST" | "PUT" | "PATCH" | "DELETE";

/// A change. Afterwards everything under `nouns` is asked for again.
export function useSend<Answer, Input = void>(nouns: string[], build: (input: Input) => [Verb, string, unknown?]) {
  const client = useQueryClient();
  return useMutation<Answer, ApiError, Input>({
    mutationFn: (input) => send<Answer>(...build(input)),
    onSettled: () => Promise.all(nouns.map((noun) => client.invalidateQueries({ queryKey: [noun] }))),
  });
}
