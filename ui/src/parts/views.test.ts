import { expect, test } from "vitest";
import { query_of } from "./views";

test("a view keeps what the page shows, not what the reader just looks at", () =>
  expect(query_of(new URLSearchParams("view=01X&filter=a+%3D+'b'&open=1&selected=1,2&sort=-metrics.loss"))).toBe("filter=a+%3D+%27b%27&sort=-metrics.loss"));
