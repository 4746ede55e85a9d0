import { expect, it } from "vitest";
import { read } from "./answer";
import { answered } from "./stages";
import { newTake } from "./take";

const bubble = JSON.stringify({ code: "AAAAAAAAAAAAAAAA", url: "http://here/b/AAAAAAAAAAAAAAAA", state: "processing" });

it("takes nothing but the house's own yes for a yes", () => {
  expect(read(202, bubble)).toEqual({ kind: "accepted", code: "AAAAAAAAAAAAAAAA", url: expect.any(String) });
  for (const [status, body] of [[200, "<html>Welcome to Hotel Wi-Fi"], [202, ""], [202, "null"], [200, bubble]] as const) {
    expect(read(status, body)).toEqual({ kind: "later", because: "network", after_s: null });
  }
});

it("comes again when the network, the house or what stands between is unwell", () => {
  expect(read(0, "")).toEqual({ kind: "later", because: "network", after_s: null });
  for (const status of [408, 409, 429, 500, 502, 503, 504]) {
    expect(read(status, "", "7")).toEqual({ kind: "later", because: "house", after_s: 7 });
  }
  expect(read(503, "", "soon")).toEqual({ kind: "later", because: "house", after_s: null });
});

it("comes again when the key of a dead upload is free", () => {
  const take = newTake({ type: "audio/webm", stage: "queued", key: "k" });
  const answer = read(409, '{"code": "conflict"}', "20");
  expect(answered(take, answer, 1_000, 0.5)).toMatchObject({ waits: "house", notBefore_ms: 21_000, key: "k" });
});

it("asks the person when it would be refused again", () => {
  expect(read(422, '{"code": "silent"}')).toEqual({ kind: "refused", code: "silent" });
  expect(read(413, "<html>nginx")).toEqual({ kind: "refused", code: "too_large" });
  expect(read(418, "")).toEqual({ kind: "refused", code: "bad_request" });
});

it("knows being signed out from being refused", () => {
  expect(read(401, '{"code": "unauthorised"}')).toEqual({ kind: "signed-out" });
});
