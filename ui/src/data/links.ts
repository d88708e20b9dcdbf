import { part, parts } from "../api/client";
import type { Declaration, Sample, Stream } from "../api/types";
import type { Layer } from "../parts/images";

export const commit_url = (dataset: string, ref: string) => `/datasets/${part(dataset)}/commits/${part(ref)}`;
export const sample_url = (dataset: string, ref: string, key: string) => `${commit_url(dataset, ref)}/samples/${parts(key)}`;

export const is_picture = (stream: Stream | undefined): stream is Stream => !!stream && stream.media_type.startsWith("image/");

/// A label as text: a class as it is, anything richer (boxes, points) as JSON.
export const label_text = (label: unknown): string | null => (label === null || label === undefined ? null : typeof label === "object" ? JSON.stringify(label) : String(label));

/// The stream that stands for the sample in a grid: its first picture that is not a label map.
export function face_of(sample: Sample, declaration: Declaration | null): Stream | null {
  const streams = Object.entries(sample.streams).filter(([, stream]) => is_picture(stream));
  const plain = streams.find(([name]) => kind_of(name, declaration) === "image");
  return (plain ?? streams[0])?.[1] ?? null;
}

export function kind_of(stream: string, declaration: Declaration | null): Layer["kind"] {
  const decode = declaration?.streams?.[stream]?.decode ?? (stream === "mask" ? "labels" : "image");
  return decode === "labels" ? "labels" : decode.startsWith("depth") ? "depth" : "image";
}
