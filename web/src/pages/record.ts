import "../share-panel";
import { isFlagUp } from "../outbox/flag";
import { whoIsHere, type Me } from "../outbox/who";
import { PlaceSearch } from "../place-search";
import { Deck } from "../record/deck";
import { find, show } from "../dom";
import { catchStrayFiles, takeFiles } from "../record/files";
import { troubleBefore } from "../record/microphone";
import { furnish, type Room } from "../record/room";
import { text } from "../texts";

customElements.define("place-search", PlaceSearch);
const root = find("#recorder");
const limits = {
  limit_s: Number(root.dataset["limitS"]),
  silence_dbfs: Number(root.dataset["silenceDbfs"]),
  max_bytes: Number(root.dataset["maxBytes"]),
};
let me: Me | null = null;
let room: Promise<Room> | null = null;

/** What keeps takes: made when there is something to keep, for a page that is only looked at stores nothing. */
function furnished(): Promise<Room> {
  if (room) return room;
  const furnishing = (room = furnish(root, limits, deck, me));
  // Storage that does not answer now may do so when it is asked again.
  furnishing.catch(() => room === furnishing && (room = null));
  return furnishing;
}

const deck = new Deck(find("[data-deck]"), {
  ...limits,
  vault: async () => (await furnished()).vault,
  handle: () => me?.handle ?? null,
  taken: (id) => void furnished().then((made) => made.open(id)),
});

const drop = find("[data-drop]");
takeFiles(drop, (file) => void furnished().then((made) => made.bring(file, me?.handle ?? null), () => deck.cannotKeep()));
catchStrayFiles();
if (troubleBefore()) {
  deck.say(text(`recorder.trouble_${troubleBefore()}`));
  root.toggleAttribute("data-no-microphone", true);
}
if (isFlagUp()) furnished().catch(() => deck.cannotKeep());

async function greet(): Promise<void> {
  const found = await whoIsHere();
  if (!found) return;
  me = found;
  show(find("[data-signed-out]"), me.handle === null);
  if (room) (await room).welcome(me);
}
void greet();
// Somebody may have signed in or out in another tab.
document.addEventListener("visibilitychange", () => document.hidden || void greet());
