// What shows media is a part of the program of its own, loaded when somebody looks at media.
import { lazy, Suspense, type ComponentType } from "react";
import { Skeleton } from "../parts/basics";

function later<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  const Loaded = lazy(async () => ({ default: await load() })) as unknown as ComponentType<Props>;
  return (props: Props) => <Suspense fallback={<Skeleton rows={6} />}><Loaded {...props} /></Suspense>;
}

export const MediaTab = later(async () => (await import("./media_tab")).MediaTab);
export const MediaGrid = later(async () => (await import("./media_grid")).MediaGrid);
export const OnnxView = later(async () => (await import("./onnx_view")).OnnxView);
export const Preview = later(async () => (await import("./preview")).Preview);
