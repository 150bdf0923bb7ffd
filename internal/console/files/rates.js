// Counters that only grow, to what they grew by in a second.

export class Rates {
  #before = null;

  // of returns the rates of counters, an object of numbers, at a time in ms; NaN where there was nothing to compare with.
  // run names the process that counts: another one counts from 0.
  of(counters, time, run) {
    const before = this.#before;
    this.#before = { counters, time, run };
    const fresh = !before || before.run !== run || time <= before.time;
    const seconds = fresh ? NaN : (time - before.time) / 1000;
    return Object.fromEntries(Object.entries(counters).map(([name, n]) => [name, Math.max(0, (n - (before?.counters[name] ?? n))) / seconds]));
  }
}
