import "../share-panel";
import { BubblePlayer } from "../player";
import { Script } from "../script";
import { awaitState } from "../waiting";

for (const notice of document.querySelectorAll<HTMLElement>("[data-awaits]")) awaitState(notice);

const player = document.querySelector<BubblePlayer>("bubble-player[main]");
const words = document.getElementById("words");
if (player && words) {
  const script = new Script(words, (start_s) => void player.playFrom(start_s));
  player.addEventListener("bubble-time", (event) => script.show((event as CustomEvent<number>).detail));
}
