// Many cases on their way to a dataset: in parts, so that one sees how far they have come and can stop.

export const kPart = 200;  // cases in one commit

export interface Sent { commit_id: string; sent: string[]; held_out: string[] }
export interface Progress { sent: number; held_out: number; done: number; all: number; commit_id: string | null }

/// Sends `ids` part by part, in their order; `on_progress` hears of each. Ends early when `stopped()`; an error ends it, too, and
/// leaves what was sent before where it is. Answers the ids that are left.
export async function send_in_parts(
  ids: string[], send_part: (ids: string[]) => Promise<Sent>, on_progress: (progress: Progress) => void, stopped: () => boolean,
): Promise<{ left: string[]; error: Error | null }> {
  const progress: Progress = { sent: 0, held_out: 0, done: 0, all: ids.length, commit_id: null };
  on_progress({ ...progress });
  while (progress.done < ids.length && !stopped()) {
    const part = ids.slice(progress.done, progress.done + kPart);
    try {
      const { commit_id, sent, held_out } = await send_part(part);
      progress.sent += sent.length;
      progress.held_out += held_out.length;
      progress.commit_id = commit_id || progress.commit_id;
    } catch (error) {
      return { left: ids.slice(progress.done), error: error as Error };
    }
    progress.done += part.length;
    on_progress({ ...progress });
  }
  return { left: ids.slice(progress.done), error: null };
}

/// The ids of every case of a list, page by page; at most `most`.
export async function all_ids(get_page: (token: string | null) => Promise<{ cases: { id: string }[]; next_page_token: string | null }>, most: number): Promise<string[]> {
  const ids: string[] = [];
  let token: string | null = null;
  do {
    const page: { cases: { id: string }[]; next_page_token: string | null } = await get_page(token);
    ids.push(...page.cases.map(({ id }) => id));
    token = page.next_page_token;
  } while (token && ids.length < most);
  return ids.slice(0, most);
}
