import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { setFlag } from "./flag";
import type { Take } from "./take";

interface Schema extends DBSchema {
  takes: { key: string; value: Take };
  /** The sound as it came, second by second. Buffers, not blobs: some browsers lose a blob with its file. */
  chunks: { key: [take: string, number: number]; value: ArrayBuffer };
  /** The sound as it is to be sent, where that is not as it came: trimmed. */
  cuts: { key: string; value: ArrayBuffer };
}

const NAME = "bubbles-outbox";
const STORES = ["takes", "chunks", "cuts"] as const;
const CUT_TYPE = "audio/wav";

/** Takes and their sound, in IndexedDB. Every change of a take is one transaction, so that tabs cannot undo each other. */
export class Vault {
  private constructor(private readonly database: IDBPDatabase<Schema>) {}

  /** Raises what the browser raises where it keeps nothing. */
  static async open(): Promise<Vault> {
    const database = await openDB<Schema>(NAME, 1, {
      upgrade: (fresh) => STORES.forEach((store) => fresh.createObjectStore(store)),
      blocking: (_, __, event) => (event.target as IDBDatabase).close(),
    });
    return new Vault(database);
  }

  close(): void {
    this.database.close();
  }

  /** All takes, the newest first. */
  async takes(): Promise<Take[]> {
    const takes = await this.database.getAll("takes");
    return takes.sort((one, other) => other.recordedAt.localeCompare(one.recordedAt));
  }

  async take(id: string): Promise<Take | undefined> {
    return this.database.get("takes", id);
  }

  async put(take: Take): Promise<void> {
    setFlag(true);
    await this.database.put("takes", take, take.id);
  }

  /** A take with changes made to what it is at this moment, whoever changed it before; undefined when it is gone. */
  async change(id: string, change: (take: Take) => Take): Promise<Take | undefined> {
    const transaction = this.database.transaction("takes", "readwrite");
    const take = await transaction.store.get(id);
    const changed = take && change(take);
    if (changed) await transaction.store.put(changed, id);
    await transaction.done;
    return changed;
  }

  /** Keeps a piece of sound; raises QuotaExceededError when the device is full. */
  async append(id: string, number: number, sound: ArrayBuffer): Promise<void> {
    await this.database.put("chunks", sound, [id, number]);
  }

  /** The sound as it came. */
  async original(id: string): Promise<Blob> {
    const take = await this.take(id);
    return new Blob(await this.database.getAll("chunks", piecesOf(id)), { type: take?.type ?? "" });
  }

  /** What is to be sent in place of the original: a WAV, or null for the original itself. */
  async setCut(id: string, wav: ArrayBuffer | null): Promise<void> {
    if (wav) await this.database.put("cuts", wav, id);
    else await this.database.delete("cuts", id);
  }

  /** The sound that is to be sent. */
  async sound(id: string): Promise<Blob> {
    const cut = await this.database.get("cuts", id);
    return cut ? new Blob([cut], { type: CUT_TYPE }) : this.original(id);
  }

  /** The house has the sound: it need not be kept here. The receipt stays, in the same transaction. */
  async acknowledge(id: string, receipt: (take: Take) => Take): Promise<Take | undefined> {
    const transaction = this.database.transaction(STORES, "readwrite");
    const take = await transaction.objectStore("takes").get(id);
    const sent = take && receipt(take);
    if (sent) await transaction.objectStore("takes").put(sent, id);
    await transaction.objectStore("chunks").delete(piecesOf(id));
    await transaction.objectStore("cuts").delete(id);
    await transaction.done;
    return sent;
  }

  /** Throws a take away, with all its sound. */
  async remove(id: string): Promise<void> {
    const transaction = this.database.transaction(STORES, "readwrite");
    await transaction.objectStore("takes").delete(id);
    await transaction.objectStore("chunks").delete(piecesOf(id));
    await transaction.objectStore("cuts").delete(id);
    const left = await transaction.objectStore("takes").count();
    await transaction.done;
    if (!left) setFlag(false);
  }
}

function piecesOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id, 0], [id, Infinity]);
}
