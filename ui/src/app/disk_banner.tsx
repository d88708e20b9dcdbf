// Says above every page that the server takes no more writes because its disk is nearly full.
import { useGet } from "../api/hooks";
import type { Server } from "../api/types";
import { bytes } from "../parts/format";
import css from "./shell.module.css";

const kAskEveryMs = 60_000;

export function DiskBanner() {
  const { data } = useGet<Server>(["server"], "/api/v1/server", { stale_ms: kAskEveryMs, every_ms: kAskEveryMs });
  if (!data?.disk_low) return null;
  return (
    <div className={css.banner} role="alert">
      The server's disk is nearly full ({bytes(data.data_bytes_free)} free, {bytes(data.data_bytes_free_min)} are kept free): nothing more is written until there is
      room. <code>slipway gc</code> removes what nothing refers to.
    </div>
  );
}
