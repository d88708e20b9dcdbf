// HTML that somebody logged. It is shown in a frame that is nobody: its scripts may run what is written inside of the page, without
// cookies, without this page, without any way to a network (api/send_blob.h). A page that Plotly wrote is read instead of run.
import { useMemo, useState } from "react";
import { ChartView } from "./chart_view";
import { content_address, type MediaFile } from "./media";
import { from_plotly, plotly_of_page } from "./plotly";
import { kTextBytesMax, useText } from "./use_bytes";
import css from "./media.module.css";

const kPlotlyPageBytesMax = 2 * kTextBytesMax;

export function PageFrame({ run, file, name }: { run: string; file: MediaFile; name: string }) {
  const { text } = useText(file.size <= kPlotlyPageBytesMax ? file : null, kPlotlyPageBytesMax);
  const chart = useMemo(() => {
    const figure = text === undefined ? null : plotly_of_page(text);
    return figure ? from_plotly(figure) : null;
  }, [text]);
  const [as_page, set_as_page] = useState(false);
  const can_draw = chart !== null && (chart.marks.length > 0 || chart.heat !== null);
  if (file.size <= kPlotlyPageBytesMax && text === undefined) return <div className={css.frame} />;
  return (
    <div className="stack">
      {can_draw && !as_page ? <ChartView chart={chart} name={name} /> : <iframe className={css.frame} sandbox="allow-scripts" src={content_address(run, file.path, { frame: true })} title={name} loading="lazy" referrerPolicy="no-referrer" />}
      {can_draw && <div><button type="button" className="plain small" onClick={() => set_as_page(!as_page)}>{as_page ? "Draw the figure" : "Show the page itself"}</button></div>}
    </div>
  );
}
