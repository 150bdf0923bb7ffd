// A server replays its history to whoever joins, so after a reconnect most of what comes first has been seen before.
// Nothing numbers messages; what is new is found by lining the replay up with what was seen.
//
// The rule, as in mlesctl: the new part begins after the longest beginning of the replay that can be explained as the
// end of what was seen. Arrivals do not count, since servers move and leave them out; own messages may stand anywhere
// in it, since only the server knows their order among those of others. A server that was killed may have gone back to an
// older state: a replay that begins with a long run out of the middle of what was seen is known up to its end, as the
// gateway itself judges its upstreams.

import { siphash } from "./siphash.js";

const keptSeen = 4096; // messages of others that are remembered; servers keep 100 or 200
const keptSent = 1024; // own messages
const digested = 1 << 20; // bytes of a message
const longRun = 16, different = 8; // messages of others in a run that is no accident

export class Tail {
  #key = crypto.getRandomValues(new Uint32Array(4));
  #seen = []; // oldest first
  #cut = false; // older ones were dropped from it
  #sent = [];

  // digest of a frame's data, a string or an ArrayBuffer or Uint8Array: of its length and as much of it as does not keep
  // the page waiting.
  digest(data) {
    const [kind, bytes] = typeof data === "string" ? ["t", new TextEncoder().encode(data)]
      : ["b", data instanceof Uint8Array ? data : new Uint8Array(data)];
    return kind + bytes.length + " " + siphash(bytes.subarray(0, digested), this.#key);
  }

  // saw remembers a message from the channel by its digest.
  saw(digest) {
    this.#seen.push(digest);
    if (this.#seen.length >= 2 * keptSeen) {
      this.#seen.splice(0, this.#seen.length - keptSeen);
      this.#cut = true;
    }
  }

  // said remembers an own one.
  said(digest) {
    this.#sent.push(digest);
    if (this.#sent.length >= 2 * keptSent) this.#sent.splice(0, this.#sent.length - keptSent);
  }

  // known is how many messages at the beginning of a replay, a list of digests, are not new.
  known(replay) {
    const own = new Set(this.#sent);
    let n = replay.length;
    while (n > 0 && !this.#explains(replay, n, own)) n--;
    return Math.max(n, this.#older(replay, own));
  }

  // older is how many messages at the beginning of a replay are a long run of what was seen.
  #older(replay, own) {
    let best = 0;
    for (let start = this.#seen.indexOf(replay.find((d) => !own.has(d))); start >= 0; start = this.#seen.indexOf(this.#seen[start], start + 1)) {
      const run = [];
      let n = 0, known = 0; // known: behind the last message of others
      for (; n < replay.length; n++) {
        if (replay[n] === this.#seen[start + run.length]) {
          run.push(replay[n]);
          known = n + 1;
        } else if (!own.has(replay[n])) break;
      }
      if (run.length >= longRun && new Set(run).size >= different) best = Math.max(best, known);
    }
    return best;
  }

  // explains tells whether the first n of a replay end as what was seen does, back to where the one or the other begins.
  #explains(replay, n, own) {
    let j = this.#seen.length - 1;
    for (let i = n - 1; i >= 0; i--) {
      if (j >= 0 && replay[i] === this.#seen[j]) j--;
      else if (own.has(replay[i])) continue;
      else return j < 0 && this.#cut;
    }
    return true;
  }
}
