// Grows the forest beside the page, so that it stays awake.
import { importance_of, type ForestInput } from "./forest";

self.onmessage = ({ data }: MessageEvent<ForestInput>) => self.postMessage(importance_of(data));
