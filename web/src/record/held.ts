/** What a take has taken hold of. It is let go of at the end, however that comes: the last taken first. */
export class Held {
  private readonly ends: (() => void)[] = [];

  add(end: () => void): void {
    this.ends.push(end);
  }

  letGo(): void {
    for (const end of this.ends.splice(0).reverse()) end();
  }
}
