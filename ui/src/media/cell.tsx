// What a run has of one key at one step: mostly one thing, sometimes several.
import { counted } from "../parts/format";
import { Content } from "./content";
import type { MediaItem } from "./media";
import { MediaPicture, useCaption, type Over } from "./picture";
import type { View } from "./view";
import css from "./media.module.css";

export interface Looks {
  width: number;
  aspect: number;
  on_aspect: (aspect: number) => void;
  over: Over;
  view: View;
  on_view: (view: View) => void;
}

const kTogetherMax = 12;

export function MediaCell({ items, name, looks }: { items: MediaItem[]; name: string; looks: Looks }) {
  return (
    <div className={css.some}>
      {items.slice(0, kTogetherMax).map((item, i) => {
        const of = items.length > 1 ? `${name}, ${i + 1} of ${items.length}` : name;
        return item.kind === "image" ? <MediaPicture key={item.file.path} item={item} name={of} {...looks} /> : <Told key={item.file.path} item={item} name={of} />;
      })}
      {items.length > kTogetherMax && <p className="quiet">{counted(items.length - kTogetherMax, "further file")} of this step</p>}
    </div>
  );
}

function Told({ item, name }: { item: MediaItem; name: string }) {
  const caption = useCaption(item);
  return (
    <div className="grow">
      <Content run={item.run_id} file={item.file} kind={item.kind} name={name} />
      {caption && <p className={css.caption}>{caption}</p>}
    </div>
  );
}
