import { expect, it } from "vitest";
import { formOf } from "./post";
import { BLANK, newTake, type Fields } from "./take";

const sent = (fields: Partial<Fields>): Record<string, FormDataEntryValue> =>
  Object.fromEntries(formOf(newTake({ type: "audio/webm", fields: { ...BLANK, ...fields } }), new Blob(["x"], { type: "audio/webm" })));

it("leaves out what is blank, and the place that there is not", () => {
  expect(Object.keys(sent({})).sort()).toEqual(["audio", "recorded_at", "visibility"]);
});

it("sends the licence that was chosen and the version of the terms that were shown", () => {
  expect(sent({ licence: "CC-BY-4.0", consent_version: "1f825aa2f002" })).toMatchObject({
    licence: "CC-BY-4.0",
    consent_version: "1f825aa2f002",
  });
});

it("writes degrees so that they are digits", () => {
  const at = sent({ latitude: 1e-7, longitude: -0.5, precision: "exact", place_role: "about" });
  expect(at).toMatchObject({ latitude: "0.000000", longitude: "-0.500000", precision: "exact", place_role: "about" });
});

it("tells no place at all when none is to be told", () => {
  expect(sent({ latitude: 1, longitude: 2, precision: "none" })).not.toHaveProperty("latitude");
});

it("sends the sound last, named by its kind", () => {
  const entries = Object.entries(sent({ title: "Quay" }));
  expect((entries.at(-1)![1] as File).name).toBe("take.webm");
});
