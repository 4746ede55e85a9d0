// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { enableReveal } from "./reveal";

const TEXTS = JSON.stringify({ "ways_in.show": "Show", "ways_in.hide": "Hide" });

beforeEach(() => {
  document.body.innerHTML = `<script type="application/json" id="texts">${TEXTS}</script>
    <form><input id="password" type="password" data-reveal="Show the password"></form>`;
  enableReveal();
});

const field = (): HTMLInputElement => document.querySelector("input")!;
const button = (): HTMLButtonElement => document.querySelector("button")!;

test("a password is shown and hidden by a button that says so", () => {
  expect([field().type, button().textContent, button().getAttribute("aria-label")]).toEqual(["password", "Show", "Show the password"]);
  button().click();
  expect([field().type, button().textContent, button().getAttribute("aria-pressed")]).toEqual(["text", "Hide", "true"]);
  button().click();
  expect(field().type).toBe("password");
});

test("it is hidden again before it is sent, and the button sends nothing", () => {
  expect(button().type).toBe("button");
  button().click();
  field().form?.dispatchEvent(new Event("submit"));
  expect(field().type).toBe("password");
});
