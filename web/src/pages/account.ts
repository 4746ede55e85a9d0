import { addPasskey, supportsPasskeys } from "../passkeys";
import { enableReveal } from "../reveal";
import { text } from "../texts";

enableReveal();

const form = document.querySelector<HTMLFormElement>("form[data-adds-passkey]");
if (form && supportsPasskeys()) offerToAdd(form);

function offerToAdd(form: HTMLFormElement): void {
  const name = form.querySelector<HTMLInputElement>("input[name=name]");
  const present = form.querySelector<HTMLInputElement>("input[name=present]");
  const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
  const status = form.querySelector("[data-status]");
  if (!name || !button || !status) return;
  form.hidden = false;
  document.querySelector<HTMLElement>("[data-needs-script]")?.setAttribute("hidden", "");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    status.textContent = text("ways_in.passkey_working");
    void addPasskey(name.value, present?.value).then((outcome) => {
      if (outcome === "done") return location.assign("/account?done=passkey_added#passkeys");
      button.disabled = false;
      status.textContent = text(`ways_in.adding_${outcome === "slow" ? "failed" : outcome}`);
    });
  });
}
