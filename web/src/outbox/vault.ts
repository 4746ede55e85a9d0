import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from "idb";
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
/** What a browser raises once it has dropped the connection, by itself or because another tab asked for it. */
const DROPPED = new Set(["InvalidStateError", "UnknownError", "AbortError"]);

type Database = IDBPDatabase<Schema>;
type Writing = IDBPTransaction<Schema, typeof STORES, "readwrite">;

/**
 * Takes and their sound, in IndexedDB. Every change of a take is one transaction, so that tabs cannot undo each other.
 * Phones drop the connection of a page that is out of sight: what then fails is done once more over a new one.
 */
export class Vault {
  private connection: Promise<Database> | null = null;

  private constructor() {}

  /** Raises what the browser raises where it keeps nothing. */
  static async open(): Promise<Vault> {
    const vault = new Vault();
    await vault.connected();
    return vault;
  }

  close(): void {
    if (this.connection) this.leave(this.connection);
  }

  /** All takes, the newest first. */
  async takes(): Promise<Take[]> {
    const takes = await this.using((database) => database.getAll("takes"));
    return takes.sort((one, other) => other.recordedAt.localeCompare(one.recordedAt));
  }

  async take(id: string): Promise<Take | undefined> {
    return this.using((database) => database.get("takes", id));
  }

  /** Keeps a new take, with its sound where all of that is there. */
  async put(take: Take, sound?: ArrayBuffer): Promise<void> {
    setFlag(true);
    await this.writing(async (transaction) => {
      await transaction.objectStore("takes").put(take, take.id);
      if (sound) await transaction.objectStore("chunks").put(sound, [take.id, 0]);
    });
  }

  /** A take with changes made to what it is at this moment, whoever changed it before; undefined when it is gone. */
  async change(id: string, change: (take: Take) => Take): Promise<Take | undefined> {
    const changed = await this.writing(async (transaction) => {
      const takes = transaction.objectStore("takes");
      const take = await takes.get(id);
      const changed = take && change(take);
      if (changed) await takes.put(changed, id);
      return changed;
    });
    // Another tab that threw its last take away may have lowered it after this one came.
    if (changed) setFlag(true);
    return changed;
  }

  /** Keeps a piece of sound; raises QuotaExceededError when the device is full. */
  async append(id: string, number: number, sound: ArrayBuffer): Promise<void> {
    await this.using((database) => database.put("chunks", sound, [id, number]));
  }

  /** Whether any sound of it is kept; asked without reading it. */
  async hasSound(id: string): Promise<boolean> {
    return (await this.using((database) => database.count("chunks", piecesOf(id)))) > 0;
  }

  /** The sound as it came. */
  async original(id: string): Promise<Blob> {
    const take = await this.take(id);
    const pieces = await this.using((database) => database.getAll("chunks", piecesOf(id)));
    return new Blob(pieces, { type: take?.type ?? "" });
  }

  /** What is to be sent in place of a draft's original: a WAV, or null for the original itself. */
  async setCut(id: string, wav: ArrayBuffer | null): Promise<void> {
    await this.writing(async (transaction) => {
      // Another tab may have it on its way, or be done with it: what is sent twice must not differ.
      if ((await transaction.objectStore("takes").get(id))?.stage !== "draft") return;
      const cuts = transaction.objectStore("cuts");
      await (wav ? cuts.put(wav, id) : cuts.delete(id));
    });
  }

  /** The sound that is to be sent. */
  async sound(id: string): Promise<Blob> {
    const cut = await this.using((database) => database.get("cuts", id));
    return cut ? new Blob([cut], { type: CUT_TYPE }) : this.original(id);
  }

  /** The house has the sound: it need not be kept here. The receipt stays, in the same transaction. */
  async acknowledge(id: string, receipt: (take: Take) => Take): Promise<Take | undefined> {
    const exchange = (): Promise<Take | undefined> =>
      this.writing(async (transaction) => {
        const takes = transaction.objectStore("takes");
        const take = await takes.get(id);
        const sent = take && receipt(take);
        if (sent) await takes.put(sent, id);
        await dropSound(transaction, id);
        return sent;
      });
    try {
      return await exchange();
    } catch (error) {
      if (!isFull(error)) throw error;
      // No room even for the receipt, until the sound has gone.
      await this.writing((transaction) => dropSound(transaction, id));
      return exchange();
    }
  }

  /** Throws a take away, with all its sound. */
  async remove(id: string): Promise<void> {
    const left = await this.writing(async (transaction) => {
      await transaction.objectStore("takes").delete(id);
      await dropSound(transaction, id);
      return transaction.objectStore("takes").count();
    });
    if (!left) setFlag(false);
  }

  private writing<Result>(work: (transaction: Writing) => Promise<Result>): Promise<Result> {
    return this.using(async (database) => {
      const transaction = database.transaction(STORES, "readwrite");
      const [result] = await Promise.all([work(transaction), transaction.done]);
      return result;
    });
  }

  /** All goes through here, and may be done twice. */
  private async using<Result>(work: (database: Database) => Promise<Result>): Promise<Result> {
    const connection = this.connected();
    try {
      return await work(await connection);
    } catch (error) {
      if (!(error instanceof DOMException && DROPPED.has(error.name))) throw error;
      this.leave(connection);
      return work(await this.connected());
    }
  }

  private connected(): Promise<Database> {
    if (this.connection) return this.connection;
    const connection = connect(() => this.leave(connection));
    connection.catch(() => this.leave(connection));
    return (this.connection = connection);
  }

  private leave(connection: Promise<Database>): void {
    if (this.connection === connection) this.connection = null;
    connection.then(
      (database) => database.close(),
      () => undefined,
    );
  }
}

/** Whether the device has no room left. */
export function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === "QuotaExceededError";
}

async function dropSound(transaction: Writing, id: string): Promise<void> {
  await transaction.objectStore("chunks").delete(piecesOf(id));
  await transaction.objectStore("cuts").delete(id);
}

/** `left` is told when the browser ends the connection, or wants it ended. */
async function connect(left: () => void): Promise<Database> {
  return openDB<Schema>(NAME, 1, {
    upgrade: (fresh) => STORES.forEach((store) => fresh.createObjectStore(store)),
    blocking: left,
    terminated: left,
  });
}

function piecesOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id, 0], [id, Infinity]);
}
