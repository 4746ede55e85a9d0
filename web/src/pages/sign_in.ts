import { signIn, supportsPasskeys } from "../passkeys";
import { enableReveal } from "../reveal";
import { text } from "../texts";

enableReveal();

const place = document.querySelector<HTMLElement>("[data-passkey]");
if (place && supportsPasskeys()) offerPasskey(place);

function offerPasskey(place: HTMLElement): void {
  const button = place.querySelector("button");
  const status = place.querySelector("[data-status]");
  const handle = document.querySelector<HTMLInputElement>("#handle");
  if (!button || !status) return;
  place.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    status.textContent = text("ways_in.passkey_working");
    const wanted = { handle: handle?.value.slice(0, 64) ?? "", next: place.dataset["next"] ?? "" };
    void signIn(wanted, (path) => location.assign(path)).then((outcome) => {
      if (outcome === "done") return;
      button.disabled = false;
      status.textContent = text(`ways_in.passkey_${outcome === "known" || outcome === "present" ? "failed" : outcome}`);
    });
  });
}
