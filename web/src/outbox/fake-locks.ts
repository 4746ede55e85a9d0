type Work = (lock: unknown) => Promise<unknown>;

/** `navigator.locks` as far as it is used here, for tests: one holder of each name, the others in a queue. */
export function fakeLocks() {
  const last = new Map<string, Promise<unknown>>();

  function request(name: string, ...given: [Work] | [options: object, work: Work]): Promise<unknown> {
    const work = given[given.length - 1] as Work;
    const before = last.get(name);
    if (before && given.length === 2) return work(null);
    const done = before ? before.then(() => work({})) : work({});
    const over: Promise<unknown> = done.catch(() => undefined).then(() => last.get(name) === over && last.delete(name));
    last.set(name, over);
    return done;
  }
  return { request };
}
