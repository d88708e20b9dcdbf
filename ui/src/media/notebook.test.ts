import { expect, test } from "vitest";
import { notebook_of } from "./notebook";

test("cells and what came out of them are read, in either form of lines", () => {
  const found = notebook_of({
    nbformat: 4, metadata: { language_info: { name: "python" } },
    cells: [
      { cell_type: "markdown", source: ["# a\n", "b"] },
      { cell_type: "code", execution_count: 3, source: "x", outputs: [
        { output_type: "stream", text: ["one\n", "\u001b[31mtwo\u001b[0m"] },
        { output_type: "display_data", data: { "image/png": "QUJD\n", "text/plain": "<Figure>" } },
        { output_type: "error", ename: "E", evalue: "why", traceback: [] },
        { output_type: "display_data", data: { "text/html": "<script>1</script>" } },
      ] },
      { cell_type: "unheard of", source: 7 },
    ],
  })!;
  expect(found.language).toBe("python");
  expect(found.cells[0]).toMatchObject({ kind: "markdown", source: "# a\nb" });
  expect(found.cells[1]).toEqual({ kind: "code", source: "x", number: 3, left_out: ["text/html"], outputs: [
    { kind: "text", text: "one\ntwo" }, { kind: "image", text: "data:image/png;base64,QUJD" }, { kind: "error", text: "E: why" }] });
  expect(found.cells[2]).toMatchObject({ kind: "raw", source: "7" });
});

test("what is no notebook is none, and a picture cannot leave its address", () => {
  for (const other of [null, [], {}, { cells: [] }, "x"]) expect(notebook_of(other)).toBe(null);
  const found = notebook_of({ nbformat: 4, cells: [{ cell_type: "code", outputs: [{ data: { "image/png": "\" onerror=\"x" } }] }] })!;
  expect(found.cells[0]!.outputs).toEqual([{ kind: "image", text: "data:image/png;base64,onerror=x" }]);
});
